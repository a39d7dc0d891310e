# SPDX-License-Identifier: Apache-2.0
"""The three kinds of track: what each asks for, and when it is satisfied.

Invariant: a track knows nothing of the others. It raises the failure that stopped it; what it stored before that stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Protocol

from indelible.domain import note as notes
from indelible.domain.anchors import AnchorFile, safe_name
from indelible.domain.note import Note, NoteError, Signature
from indelible.errors import LedgerError
from indelible.ports.external import Calendar, ExternalFailure, OtherSize, OtherTree, TimestampAuthority, Witness
from indelible.services.anchor_shelf import Shelf
from indelible.services.log import LEDGER, LogReader


class Track(Protocol):
    """One anchoring provider, and what is asked of it."""

    @property
    def name(self) -> str:
        """As in the files' names: `rfc3161-…`, `ots-…`, `witness-…`."""
        ...

    def news(self, shelf: Shelf) -> Iterator[int]:
        """Ask for what is missing, newest first; each size once it is stored. Raises ExternalFailure, LedgerError."""
        ...

    def later(self, shelf: Shelf) -> Iterator[int | None]:
        """Ask for what takes its time: each size that was completed, None for one that was not. Raises as `news`."""
        ...


class TimestampTrack:
    """A token over the bytes of each checkpoint."""

    def __init__(self, authority: TimestampAuthority) -> None:
        self._authority = authority
        self._file = AnchorFile("token", authority.name)
        self.name = self._file.track

    def news(self, shelf: Shelf) -> Iterator[int]:
        """One request for each checkpoint that has no token of this authority."""
        for size in shelf.sizes_without(self.name):
            shelf.keep(size, self._file, self._authority.stamp(shelf.opened(size).note.data))
            yield size

    def later(self, shelf: Shelf) -> Iterator[int | None]:  # noqa: ARG002 - the protocol's
        """Nothing: a token is complete."""
        return iter(())


class CalendarTrack:
    """A pending proof over the bytes of each checkpoint, and later the completed one."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._pending = AnchorFile("pending", calendar.name)
        self.name = self._pending.track

    def news(self, shelf: Shelf) -> Iterator[int]:
        """One request for each checkpoint that has no proof of this calendar."""
        for size in shelf.sizes_without(self.name):
            shelf.keep(size, self._pending, self._calendar.submit(_digest(shelf, size)))
            yield size

    def later(self, shelf: Shelf) -> Iterator[int | None]:
        """One request for each proof that is still pending, the oldest first."""
        for size, _ in self.pending(shelf):
            proof = shelf.read(size, self._pending)
            completed = self._calendar.upgrade(proof, _digest(shelf, size)) if proof else None
            if completed is not None:
                height, data = completed
                shelf.keep(size, AnchorFile("bitcoin", self._calendar.name, height), data)
            yield size if completed else None

    def pending(self, shelf: Shelf) -> list[tuple[int, int]]:
        """Sizes whose proof is not complete, oldest first, and since when they wait (Unix milliseconds)."""
        given = shelf.files_of(self.name)
        complete = {size for size, file, _ in given if file.kind == "bitcoin"}
        return [(size, ms) for size, file, ms in given if file.kind == "pending" and size not in complete]


class WitnessTrack:
    """A cosignature of the newest checkpoint: a witness does not go back to older ones, and need not."""

    def __init__(self, witness: Witness, *, log: LogReader) -> None:
        self._witness = witness
        self._log = log
        self._file = AnchorFile("cosignature", safe_name(witness.key.name))
        self.name = self._file.track

    def news(self, shelf: Shelf) -> Iterator[int]:
        """Starts from what the witness has cosigned as far as is stored; asks once more when it knows better."""
        newest = shelf.published[-1].size
        if shelf.has(newest, self.name):
            return
        note = shelf.opened(newest).note
        old = max((size for size, _, _ in shelf.files_of(self.name)), default=0)
        try:
            signature = self._cosigned(note, old, newest)
        except OtherSize as other:
            if other.size > newest and self._published(other.size):
                return  # another run has shown it a newer checkpoint meanwhile
            if other.size > newest or other.size == old:
                raise OtherTree(f"the witness holds size {other.size}, and the ledger has published {newest}") from None
            signature = self._again(note, other.size, newest)
        shelf.keep(newest, self._file, signature.line.encode())
        yield newest

    def later(self, shelf: Shelf) -> Iterator[int | None]:  # noqa: ARG002 - the protocol's
        """Nothing: a cosignature is complete."""
        return iter(())

    def cosignature(self, shelf: Shelf, size: int, text: str) -> Signature | None:
        """What is stored for this checkpoint, if it is a good cosignature of it."""
        data = shelf.read(size, self._file) if shelf.has(size, self.name) else None
        if data is None:
            return None
        try:
            cosigned = Note(text, notes.parse_signatures(data.decode()))
            return notes.verify(cosigned, [self._witness.key])[self._witness.key]
        except (NoteError, UnicodeDecodeError):
            return None  # not ours, or another key's of this name: no cosignature

    def _again(self, note: Note, old: int, newest: int) -> Signature:
        try:
            return self._cosigned(note, old, newest)
        except OtherSize as other:
            raise OtherTree(f"the witness holds size {old}, then size {other.size}") from None

    def _cosigned(self, note: Note, old: int, size: int) -> Signature:
        proof = self._log.consistency(LEDGER, old, size) if 0 < old < size else ()
        return self._witness.cosign(note, old=old, proof=proof)

    def _published(self, size: int) -> bool:
        return next(self._log.sizes(LEDGER, at_least=size), None) == size


def failure_code(error: ExternalFailure | LedgerError) -> str:
    """`NO_ANSWER`, `REFUSED`, `BAD_ANSWER`, `OTHER_TREE`; or the code of what went wrong on our side."""
    if isinstance(error, LedgerError):
        return error.code
    name = type(error).__name__
    return "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in name).strip("_")


def _digest(shelf: Shelf, size: int) -> bytes:
    return hashlib.sha256(shelf.opened(size).note.data).digest()
