# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: a log's signed statement of its size and root (c2sp.org/tlog-checkpoint).

Invariant: `parse_checkpoint(checkpoint.text) == checkpoint`, and no other text is parsed as that checkpoint. Only what
`open_checkpoint` and `verify_checkpoint` return is trustworthy. The signing key's name is the log's origin: the ledger
has one key pair at a time, with a different key id in every log.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass

from indelible.domain import note as notes
from indelible.domain.merkle import EMPTY_ROOT, HASH_BYTES, Hash
from indelible.domain.note import ML_DSA_44, MalformedNote, Note, NoteError, Signature, VerifierKey
from indelible.domain.note_keys import subtree_message

MAX_SIZE = (1 << 63) - 1
_NO_TIME = 0
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class MalformedCheckpoint(MalformedNote):
    """The text is not a checkpoint."""


class WrongOrigin(NoteError):
    """The checkpoint is another log's."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The size and the root (32 bytes) of the log of this origin. Raises MalformedCheckpoint.

    `extensions` are further lines; this ledger writes none.
    """

    origin: str
    size: int
    root: Hash
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any(not line or "\n" in line for line in (self.origin, *self.extensions)):
            raise MalformedCheckpoint("the lines of a checkpoint are not empty")
        if not 0 <= self.size <= MAX_SIZE:
            raise MalformedCheckpoint(f"a tree has 0 to {MAX_SIZE} leaves")
        if len(self.root) != HASH_BYTES:
            raise MalformedCheckpoint(f"a root has {HASH_BYTES} bytes")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise MalformedCheckpoint("the empty tree has one root only")

    @property
    def text(self) -> str:
        """The note text, which is what is signed (as UTF-8)."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint whose signature by its log was verified, and its note, which may have further signature lines.

    `signed_by` are those of the given public keys that signed it.
    """

    checkpoint: Checkpoint
    note: Note
    signed_by: tuple[bytes, ...]


def origin_of(ledger_name: str, org_id: str | None = None) -> str:
    """`{ledger_name}/{org_id}` for an organisation's log, `{ledger_name}` for the ledger's own.

    Raises ValueError for a part that is empty or contains a slash, which could make two origins equal.
    """
    parts = [ledger_name] if org_id is None else [ledger_name, org_id]
    if any(not part or "/" in part for part in parts):
        raise ValueError("the parts of an origin are not empty and have no slash")
    return "/".join(parts)


def parse_checkpoint(text: str) -> Checkpoint:
    """Parse a note's text as a checkpoint. Raises MalformedCheckpoint."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop():
        raise MalformedCheckpoint("a checkpoint has at least three lines, each with a newline")
    origin, size, root, *extensions = lines
    if _SIZE.fullmatch(size) is None:
        raise MalformedCheckpoint("the tree size is decimal, without leading zeros")
    try:
        decoded = notes.from_base64(root)
    except ValueError:
        raise MalformedCheckpoint("the root is canonical base64") from None
    return Checkpoint(origin, int(size), decoded, tuple(extensions))


def signed_checkpoint(checkpoint: Checkpoint, public_key: bytes, signature: bytes) -> SignedCheckpoint:
    """Join a checkpoint and the Ed25519 signature over its text (UTF-8).

    Raises BadSignature if the signature is wrong, InvalidField for an origin that cannot be a key's name.
    """
    note = notes.signed_note(checkpoint.text, checkpoint.origin, public_key, signature)
    return SignedCheckpoint(checkpoint, note, (public_key,))


def second_message(checkpoint: Checkpoint) -> bytes:
    """What the log's ML-DSA-44 key signs for this checkpoint (c2sp.org/tlog-cosignature, subtree/v1).

    Its time is 0, which makes no statement about time: a log cannot promise that it has signed no larger tree.
    """
    return subtree_message(checkpoint.origin, _NO_TIME, checkpoint.text)


def with_second_line(signed: SignedCheckpoint, public_key: bytes, signature: bytes) -> SignedCheckpoint:
    """The checkpoint with one more signature line, by the log's ML-DSA-44 key over `second_message`.

    Raises BadSignature if the signature is wrong: such a line must never be published.
    """
    key = VerifierKey(signed.checkpoint.origin, public_key, ML_DSA_44)
    line = Signature(key.name, key.key_id, _NO_TIME.to_bytes(8, "big") + signature)
    note = signed.note.with_signatures([line])
    notes.verify(note, [key])
    return SignedCheckpoint(signed.checkpoint, note, signed.signed_by)


def open_checkpoint(data: bytes | str, *, origin: str, public_keys: Iterable[bytes]) -> SignedCheckpoint:
    """Parse a checkpoint and verify that the log of this origin signed it with one of these keys (32 bytes each).

    Raises MalformedNote (MalformedCheckpoint), WrongOrigin, BadSignature, or NotSigned if no line is by one of the keys
    under this origin.
    """
    return verify_checkpoint(notes.parse_note(data), origin=origin, public_keys=public_keys)


def verify_checkpoint(note: Note, *, origin: str, public_keys: Iterable[bytes]) -> SignedCheckpoint:
    """As `open_checkpoint`, for a parsed note."""
    found = parse_checkpoint(note.text)
    if found.origin != origin:  # reported first: under another origin every key is unknown
        raise WrongOrigin("the checkpoint is another log's")
    verified = notes.verify(note, [VerifierKey(origin, key) for key in public_keys])
    return SignedCheckpoint(found, note, tuple(key.public_key for key in verified))
