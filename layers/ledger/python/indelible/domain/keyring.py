# SPDX-License-Identifier: Apache-2.0
"""The generations of the ledger's signing key, and how trust in one of them extends to all.

A key statement is a signed note of six lines. It is signed by the key that it introduces and, from the second
generation on, also by the previous key. Its last line is the SHA-256 of the previous statement's text. So trust extends
in both directions: forward, because the old key signed the new key's statement; backward, because the new key's
statement contains the hash of its predecessor. (The old key's signature alone would not lead backward: any key can
sign any statement.)

Invariant: a `KeyRing` holds every generation from the first one on, or a single key without statements.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from indelible.domain import instants
from indelible.domain import note as notes
from indelible.domain.checkpoint import SignedCheckpoint
from indelible.domain.note import BadSignature, MalformedNote, Note, NoteError, NotSigned, Signature, VerifierKey

FORMAT = "indelible/signing-key@v1"
FIRST = "GENESIS"
"""In place of the digest of a previous statement, in the first one."""
MAX_GENERATION = 9999

_GENERATION = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class MalformedStatement(MalformedNote):
    """The text is not a key statement."""


class BrokenRing(NoteError):
    """The statements do not form a chain that contains the trusted key."""


class KeyEnded(BadSignature):
    """A checkpoint covers records from after the end of the key that signed it."""


@dataclass(frozen=True, slots=True)
class KeyStatement:
    """This key (32 bytes) signs for this ledger; its predecessor does not sign for records from `valid_from_ms` on.

    `previous` is the digest of the previous statement, `GENESIS` in the first. Raises MalformedStatement.
    """

    ledger_name: str
    generation: int
    public_key: bytes
    valid_from_ms: int
    previous: str = FIRST

    def __post_init__(self) -> None:
        if not 1 <= self.generation <= MAX_GENERATION:
            raise MalformedStatement(f"generations are 1 to {MAX_GENERATION}")
        if "/" in self.ledger_name:
            raise MalformedStatement("the name of a ledger has no slash")
        if (self.previous == FIRST) is not (self.generation == 1):
            raise MalformedStatement("the first generation, and no other, has no predecessor")
        if self.previous != FIRST and _DIGEST.fullmatch(self.previous) is None:
            raise MalformedStatement("the statement before is named by 64 lower-case hex digits")
        if not instants.MIN_MS <= self.valid_from_ms <= instants.MAX_MS:
            raise MalformedStatement("valid-from is in the years 0001 to 9999")

    @property
    def key(self) -> VerifierKey:
        """The key under the ledger's name."""
        return VerifierKey(self.ledger_name, self.public_key)

    @property
    def text(self) -> str:
        """The note text, which is what is signed (as UTF-8)."""
        valid_from = instants.to_text(self.valid_from_ms)
        lines = (FORMAT, self.ledger_name, str(self.generation), str(self.key), valid_from, self.previous)
        return "".join(f"{line}\n" for line in lines)

    @property
    def digest(self) -> str:
        """SHA-256 of the text, in hex: the next statement's `previous`."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RingKey:
    """One generation. Both times (Unix ms) are None without a statement; `valid_until_ms` also for the newest key."""

    generation: int
    public_key: bytes
    valid_from_ms: int | None = None
    valid_until_ms: int | None = None
    statement: Note | None = None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys that may have signed for the ledger of this name, oldest first."""

    ledger_name: str
    keys: tuple[RingKey, ...]

    @classmethod
    def of_one(cls, ledger_name: str, public_key: bytes, *, generation: int = 1) -> KeyRing:
        """A ring of one trusted key, without statements: other generations are unknown."""
        return cls(ledger_name, (RingKey(generation, public_key),))

    @classmethod
    def trusting(cls, public_key: bytes, statements: Iterable[bytes], *, ledger_name: str) -> KeyRing:
        """The ring that trust in this key (32 bytes), of any generation, extends to.

        `statements` are the notes of all generations from the first on, in order. Raises MalformedNote
        (MalformedStatement), NotSigned, BadSignature, or BrokenRing.
        """
        parsed = [(parse_statement(note.text), note) for note in map(notes.parse_note, statements)]
        for place, (stated, _) in enumerate(parsed, start=1):
            if stated.ledger_name != ledger_name:
                raise BrokenRing("the statement is another ledger's")
            if stated.generation != place:
                raise BrokenRing(f"generation {place} is missing, or stated twice")
        if public_key not in {stated.public_key for stated, _ in parsed}:
            raise BrokenRing("no statement is about the key that is trusted")
        if len({stated.public_key for stated, _ in parsed}) != len(parsed):
            raise BrokenRing("a key returns in another generation")
        for stated, note in parsed:
            _require_signatures(note, [stated.key])
        for (old, _), (new, note) in pairwise(parsed):
            if new.previous != old.digest:
                raise BrokenRing(f"generation {new.generation} names another statement before it")
            if new.valid_from_ms <= old.valid_from_ms:
                raise BrokenRing(f"generation {new.generation} begins before the one before it")
            _require_signatures(note, [old.key])
        ends = [stated.valid_from_ms for stated, _ in parsed[1:]]
        keys = [
            RingKey(stated.generation, stated.public_key, stated.valid_from_ms, end, note)
            for (stated, note), end in zip(parsed, [*ends, None], strict=True)
        ]
        return cls(ledger_name, tuple(keys))

    @property
    def newest(self) -> RingKey:
        """The key in use."""
        return self.keys[-1]

    @property
    def public_keys(self) -> tuple[bytes, ...]:
        """All of them, oldest first."""
        return tuple(key.public_key for key in self.keys)

    def refuse_late(self, signed: SignedCheckpoint, recorded_ms: int) -> None:
        """Raises KeyEnded if only keys that had ended signed a checkpoint that covers a record of this time (Unix ms).

        A later key may sign records from before its start, because records wait for the anchor.
        """
        ends = [key.valid_until_ms for key in self.keys if key.public_key in signed.signed_by]
        if not any(end is None or recorded_ms < end for end in ends):
            raise KeyEnded("signed by a key that had been replaced when the records were made")


def parse_statement(text: str) -> KeyStatement:
    """Parse a note's text as a key statement, without verifying it. Raises MalformedStatement."""
    lines = text.split("\n")
    if len(lines) != 7 or lines.pop() or lines[0] != FORMAT:
        raise MalformedStatement(f"a key statement is {FORMAT} and five more lines")
    _, ledger_name, generation, key, valid_from, previous = lines
    if _GENERATION.fullmatch(generation) is None:
        raise MalformedStatement("the generation is decimal, from 1, without leading zeros")
    try:
        named, valid_from_ms = notes.parse_verifier_key(key), instants.from_text(valid_from)
    except ValueError:
        raise MalformedStatement("a key statement has a verifier key and an RFC 3339 instant") from None
    if named.kind != notes.ED25519 or named.name != ledger_name:
        raise MalformedStatement("the key is an Ed25519 key under the ledger's name")
    found = KeyStatement(ledger_name, int(generation), named.public_key, valid_from_ms, previous)
    if found.text != text:
        raise MalformedStatement("the instant is written in UTC, with milliseconds")
    return found


def signed_statement(statement: KeyStatement, signatures: Sequence[tuple[bytes, bytes]]) -> Note:
    """The statement as a note. `signatures`: (public key, Ed25519 signature over its text) for each key that must sign.

    Raises BadSignature if one is wrong: such a statement must never be published.
    """
    keys = [VerifierKey(statement.ledger_name, public_key) for public_key, _ in signatures]
    lines = [Signature(key.name, key.key_id, made) for key, (_, made) in zip(keys, signatures, strict=True)]
    note = Note(statement.text, tuple(lines))
    _require_signatures(note, keys)
    return note


def following(ring: KeyRing, public_key: bytes, *, valid_from_ms: int) -> KeyStatement:
    """The next statement, which adds this key to a ring. Raises BrokenRing if the newest key has no statement.

    It is valid from `valid_from_ms`, but at least a millisecond later than its predecessor.
    """
    newest = ring.newest
    if newest.statement is None:
        raise BrokenRing("a successor needs a statement to follow")
    before = parse_statement(newest.statement.text)
    first = KeyStatement(ring.ledger_name, newest.generation + 1, public_key, valid_from_ms, before.digest)
    return replace(first, valid_from_ms=max(valid_from_ms, before.valid_from_ms + 1))


def statement_path(generation: int) -> str:
    """The statement's path below `_ledger/_log/`: `keys/{generation:04d}`."""
    return f"keys/{generation:04d}"


def _require_signatures(note: Note, keys: Sequence[VerifierKey]) -> None:
    if len(notes.verify(note, keys)) != len(set(keys)):
        raise NotSigned("a key that must sign the statement has not")
