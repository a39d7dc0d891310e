# SPDX-License-Identifier: Apache-2.0
"""Signed notes (c2sp.org/signed-note): a text and signature lines.

Invariant: a `Note` is well formed, `parse_note(note.data) == note`, and no other bytes are parsed as that note: base64
is canonical (RFC 4648 §3.5). Nothing in a note is trustworthy before `verify`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass

from indelible.domain.note_keys import (
    COSIGNATURE,
    ED25519,
    ML_DSA_44,
    MalformedKey,
    NoteError,
    VerifierKey,
    ed25519_from_spki,
    from_base64,
    is_name,
    key_hash,
    ml_dsa_44_from_spki,
    parse_verifier_key,
    public_key_pem,
    verifier_key,
)

__all__ = [
    "COSIGNATURE",
    "ED25519",
    "ML_DSA_44",
    "BadSignature",
    "MalformedKey",
    "MalformedNote",
    "NotSigned",
    "Note",
    "NoteError",
    "Signature",
    "VerifierKey",
    "cosigned_at",
    "count_signatures",
    "ed25519_from_spki",
    "from_base64",
    "is_name",
    "key_hash",
    "ml_dsa_44_from_spki",
    "parse_note",
    "parse_signatures",
    "parse_verifier_key",
    "public_key_pem",
    "signed_note",
    "verifier_key",
    "verify",
]

MAX_SIGNATURES = 100
MAX_NOTE_BYTES = 1_000_000
_LINE = re.compile(r"— ([^ \n]+) ([A-Za-z0-9+/]+={0,2})")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class MalformedNote(NoteError):
    """The bytes are not a signed note."""


class NotSigned(NoteError):
    """No known key signed the note."""


class BadSignature(NoteError):
    """A line with the name and the id of a known key has a wrong signature."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line. Raises MalformedNote for a name that a line cannot carry."""

    name: str
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        if not is_name(self.name) or len(self.key_id) != 4 or not self.signature:
            raise MalformedNote("a signature line has a name, a key id of four bytes and a signature")

    @property
    def line(self) -> str:
        """`— <name> <base64(key id ‖ signature)>` and a newline."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text with unverified signatures. Raises MalformedNote for one that `parse_note` would refuse."""

    text: str
    signatures: tuple[Signature, ...]

    def __post_init__(self) -> None:
        if not self.text.endswith("\n") or _CONTROL.search(self.text):
            raise MalformedNote("a note's text ends in a newline and has no other control characters")
        if not 1 <= len(self.signatures) <= MAX_SIGNATURES:
            raise MalformedNote(f"a note has 1 to {MAX_SIGNATURES} signatures")
        if len(_utf8(self.text)) + sum(len(found.line.encode()) for found in self.signatures) >= MAX_NOTE_BYTES:
            raise MalformedNote(f"a note has at most {MAX_NOTE_BYTES} bytes")

    @property
    def data(self) -> bytes:
        """The note as it is stored and sent."""
        return f"{self.text}\n{''.join(found.line for found in self.signatures)}".encode()

    def with_signatures(self, added: Iterable[Signature]) -> Note:
        """The note with further signature lines at its end; lines that it already has are not repeated."""
        return Note(self.text, tuple(dict.fromkeys([*self.signatures, *added])))


def signed_note(text: str, name: str, public_key: bytes, signature: bytes) -> Note:
    """A note with one Ed25519 signature over the UTF-8 of `text`.

    Raises BadSignature if the signature is wrong: such a note must never be published. Raises MalformedNote for a text
    and InvalidField for a name that a note cannot carry.
    """
    key = VerifierKey(name, public_key)
    note = Note(text, (Signature(name, key.key_id, signature),))
    verify(note, [key])
    return note


def parse_note(data: bytes | str) -> Note:
    """Parse a signed note without verifying its signatures. Raises MalformedNote."""
    raw = _utf8(data) if isinstance(data, str) else data
    if len(raw) > MAX_NOTE_BYTES:
        raise MalformedNote(f"a note has at most {MAX_NOTE_BYTES} bytes")
    try:
        whole = raw.decode()
    except UnicodeDecodeError:
        raise MalformedNote("a note is UTF-8") from None
    text, separator, lines = whole.rpartition("\n\n")
    if not separator:
        raise MalformedNote("a note has an empty line between text and signatures")
    return Note(text + "\n", parse_signatures(lines))


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """Parse signature lines without a text, as a witness returns them. Raises MalformedNote."""
    if not lines.endswith("\n") or lines.count("\n") > MAX_SIGNATURES:
        raise MalformedNote(f"signatures are 1 to {MAX_SIGNATURES} lines, each with a newline")
    found = []
    for line in lines[:-1].split("\n"):
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise MalformedNote("a signature line is an em dash, a name and base64, with single spaces")
        try:
            blob = from_base64(parts[2])
        except ValueError:
            raise MalformedNote("a signature is canonical base64") from None
        found.append(Signature(parts[1], blob[:4], blob[4:]))
    return tuple(found)


def count_signatures(data: bytes) -> int:
    """The number of signature lines at the end of these bytes, well formed or not. Nothing is verified."""
    mark = "— ".encode()
    return sum(line.startswith(mark) for line in data.rpartition(b"\n\n")[2].split(b"\n"))


def verify(note: Note, keys: Iterable[VerifierKey]) -> dict[VerifierKey, Signature]:
    """Verify the signature lines of these keys; returns each key that signed, with its first line.

    Lines of other keys are ignored, even if they share a name or a key id with one of these.

    Raises BadSignature if any line of a given key is wrong, NotSigned if there is no such line.
    """
    known = {(key.name, key.key_id): key for key in keys}
    verified: dict[VerifierKey, Signature] = {}
    for found in note.signatures:
        key = known.get((found.name, found.key_id))
        if key is None:
            continue
        if not key.signed(note.text, found.signature):
            raise BadSignature("a signature of a known key does not verify")
        verified.setdefault(key, found)
    if not verified:
        raise NotSigned("no known key signed the note")
    return verified


def cosigned_at(signature: Signature) -> int:
    """When a witness signed, by its clock, in seconds since 1970.

    The line must be a verified one of a COSIGNATURE or ML_DSA_44 key.
    """
    return int.from_bytes(signature.signature[:8], "big")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise MalformedNote("a note is UTF-8") from None
