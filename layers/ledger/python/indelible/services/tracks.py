# SPDX-License-Identifier: Apache-2.0
"""The three kinds of track: what each requests of its provider, and when nothing is left to request.

Invariant: a track does not depend on the others. It raises the failure that stopped it; what it stored before stays.
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
from indelible.services.log import LEDGER, LogReader
from indelible.services.recent_checkpoints import RecentCheckpoints


class Track(Protocol):
    """One external anchoring provider."""

    @property
    def name(self) -> str:
        """As in the names of its files: `rfc3161-…`, `ots-…`, `witness-…`."""
        ...

    def request_missing(self, recent: RecentCheckpoints) -> Iterator[int]:
        """Request an anchor for each checkpoint that lacks one, newest first. Yields each size once it is stored.

        Raises ExternalFailure, LedgerError.
        """
        ...

    def complete_pending(self, recent: RecentCheckpoints) -> Iterator[int | None]:
        """Request the completed form of pending anchors. Yields each completed size, None for one still pending.

        Raises as `request_missing`.
        """
        ...


class TimestampTrack:
    """A token over the bytes of each checkpoint."""

    def __init__(self, authority: TimestampAuthority) -> None:
        self._authority = authority
        self._file = AnchorFile("token", authority.name)
        self.name = self._file.track

    def request_missing(self, recent: RecentCheckpoints) -> Iterator[int]:
        """One request for each checkpoint that has no token of this authority."""
        for size in recent.sizes_without(self.name):
            recent.store(size, self._file, self._authority.stamp(recent.opened(size).note.data))
            yield size

    def complete_pending(self, recent: RecentCheckpoints) -> Iterator[int | None]:  # noqa: ARG002 - the protocol's
        """Nothing: a token is complete."""
        return iter(())


class CalendarTrack:
    """A pending proof over the bytes of each checkpoint, and later the completed one."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._pending = AnchorFile("pending", calendar.name)
        self.name = self._pending.track

    def request_missing(self, recent: RecentCheckpoints) -> Iterator[int]:
        """One request for each checkpoint that has no proof of this calendar."""
        for size in recent.sizes_without(self.name):
            recent.store(size, self._pending, self._calendar.submit(_digest(recent, size)))
            yield size

    def complete_pending(self, recent: RecentCheckpoints) -> Iterator[int | None]:
        """One request for each proof that is still pending, the oldest first."""
        for size, _ in self.pending(recent):
            proof = recent.read(size, self._pending)
            completed = self._calendar.upgrade(proof, _digest(recent, size)) if proof else None
            if completed is not None:
                height, data = completed
                recent.store(size, AnchorFile("bitcoin", self._calendar.name, height), data)
            yield size if completed else None

    def pending(self, recent: RecentCheckpoints) -> list[tuple[int, int]]:
        """Sizes whose proof is not complete, oldest first, and since when they wait (Unix milliseconds)."""
        given = recent.files_of(self.name)
        complete = {size for size, file, _ in given if file.kind == "bitcoin"}
        return [(size, ms) for size, file, ms in given if file.kind == "pending" and size not in complete]


class WitnessTrack:
    """A cosignature of the newest checkpoint: a witness does not go back to older ones, and need not."""

    def __init__(self, witness: Witness, *, log: LogReader) -> None:
        self._witness = witness
        self._log = log
        self._file = AnchorFile("cosignature", safe_name(witness.key.name))
        self.name = self._file.track

    def request_missing(self, recent: RecentCheckpoints) -> Iterator[int]:
        """From the newest cosigned size that is stored; asks once more if the witness answers that it holds another."""
        newest = recent.published[-1].size
        if recent.has(newest, self.name):
            return
        note = recent.opened(newest).note
        old = max((size for size, _, _ in recent.files_of(self.name)), default=0)
        try:
            signature = self._cosigned(note, old, newest)
        except OtherSize as other:
            if other.size > newest and self._published(other.size):
                return  # another run has sent it a newer checkpoint meanwhile
            if other.size > newest or other.size == old:
                raise OtherTree(f"the witness holds size {other.size}, and the ledger has published {newest}") from None
            signature = self._again(note, other.size, newest)
        recent.store(newest, self._file, signature.line.encode())
        yield newest

    def complete_pending(self, recent: RecentCheckpoints) -> Iterator[int | None]:  # noqa: ARG002 - the protocol's
        """Nothing: a cosignature is complete."""
        return iter(())

    def cosignature(self, recent: RecentCheckpoints, size: int, text: str) -> Signature | None:
        """The cosignature stored for this checkpoint; None where it does not verify."""
        data = recent.read(size, self._file) if recent.has(size, self.name) else None
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
    """`NO_ANSWER`, `REFUSED`, `BAD_ANSWER`, `OTHER_TREE`; or the code of the ledger's own error."""
    if isinstance(error, LedgerError):
        return error.code
    name = type(error).__name__
    return "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in name).strip("_")


def _digest(recent: RecentCheckpoints, size: int) -> bytes:
    return hashlib.sha256(recent.opened(size).note.data).digest()
