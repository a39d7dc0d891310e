# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: a log's word for its size and root (c2sp.org/tlog-checkpoint).

Invariant: `parse_checkpoint(checkpoint.text) == checkpoint`, and no other text is read as that checkpoint. A checkpoint
is believed only when it comes out of `open_checkpoint`. The signing key's name is the log's origin: the ledger has one
key pair at a time, and a different key id for every log.
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
    """A checkpoint, but another log's."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree of `size` leaves has this root, in the log of this origin. Raises MalformedCheckpoint.

    `extensions` are further lines, which this ledger does not write.
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
    """A checkpoint whose log has signed it, and the note that says so (with the lines of whoever else signed).

    `signed_by`: which of the log's public keys did, of those that were asked for.
    """

    checkpoint: Checkpoint
    note: Note
    signed_by: tuple[bytes, ...]


def origin_of(ledger_name: str, org_id: str | None = None) -> str:
    """`{ledger_name}/{org_id}` for an organisation's log, `{ledger_name}` for the ledger's own.

    Raises ValueError for a part that is empty or has a slash, with which one log could pass for another.
    """
    parts = [ledger_name] if org_id is None else [ledger_name, org_id]
    if any(not part or "/" in part for part in parts):
        raise ValueError("the parts of an origin are not empty and have no slash")
    return "/".join(parts)


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a note's text as a checkpoint. Raises MalformedCheckpoint."""
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

    Raises BadSignature unless the signature is right, InvalidField for an origin that cannot be a key's name.
    """
    note = notes.signed_note(checkpoint.text, checkpoint.origin, public_key, signature)
    return SignedCheckpoint(checkpoint, note, (public_key,))


def second_message(checkpoint: Checkpoint) -> bytes:
    """What the log's ML-DSA-44 key signs for this checkpoint (c2sp.org/tlog-cosignature, subtree/v1).

    Its time is 0, which says nothing of when: a log cannot say that no larger tree of it is signed elsewhere.
    """
    return subtree_message(checkpoint.origin, _NO_TIME, checkpoint.text)


def with_second_line(signed: SignedCheckpoint, public_key: bytes, signature: bytes) -> SignedCheckpoint:
    """The checkpoint with one more line below, by the log's ML-DSA-44 key over `second_message`.

    Raises BadSignature unless the signature is right: a wrong one must never be published.
    """
    key = VerifierKey(signed.checkpoint.origin, public_key, ML_DSA_44)
    line = Signature(key.name, key.key_id, _NO_TIME.to_bytes(8, "big") + signature)
    note = signed.note.with_signatures([line])
    notes.verify(note, [key])
    return SignedCheckpoint(signed.checkpoint, note, signed.signed_by)


def open_checkpoint(data: bytes | str, *, origin: str, public_keys: Iterable[bytes]) -> SignedCheckpoint:
    """Read a checkpoint and verify that the log of this origin signed it with one of these keys.

    Raises MalformedNote (MalformedCheckpoint), WrongOrigin, BadSignature, or NotSigned when no line is by one of them
    under this origin.
    """
    return verify_checkpoint(notes.parse_note(data), origin=origin, public_keys=public_keys)


def verify_checkpoint(note: Note, *, origin: str, public_keys: Iterable[bytes]) -> SignedCheckpoint:
    """As `open_checkpoint`, for a note that has been read already."""
    found = parse_checkpoint(note.text)
    if found.origin != origin:  # said before the signature, which is then of an unknown key, is even looked for
        raise WrongOrigin("the checkpoint is another log's")
    verified = notes.verify(note, [VerifierKey(origin, key) for key in public_keys])
    return SignedCheckpoint(found, note, tuple(key.public_key for key in verified))
