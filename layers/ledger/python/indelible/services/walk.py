# SPDX-License-Identifier: Apache-2.0
"""One walk along a range of an organisation's keys: it checks every object, and adds every record to the tree.

The API's verification is a Walk; an export (ExportWalk) and an auditor's program (FastWalk) are subclasses.

An attacker with write access can add keys to the store. So no key alone decides where a range begins or ends: the
record before a range that begins at an instant must be earlier than that instant; the key that ends a range must be in
its right place, and contradicted by nothing before it; and the record that ends a range at an instant must be the one
that was signed there. An object that does not fit is checked and reported like every other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from indelible.domain import record
from indelible.domain.chain import ChainChecker, says_the_same
from indelible.domain.findings import ExpectedHash, FailureCode, StoredObject
from indelible.domain.record import EMPTY_CHAIN, Head, Record, RecordKey
from indelible.ports import Clock, JournalReader, KeyVersions, StoredRecords, StoredVersion
from indelible.services.locate import Locator
from indelible.services.log import LogReader
from indelible.services.ranges import End, Range
from indelible.services.roots import RootChecker
from indelible.services.stored_object import stored_object

PENDING_GRACE_MS = 15 * 60_000
"""A record may wait in the outbox this long before it counts as missing."""

NO_DEADLINE = 1 << 62
_MOST_PENDING = 100


@dataclass(slots=True)
class Walk:
    """`head` is where the chain ends by the table; `locks` is False for a store that does not show locks.

    `run` does everything. A subclass that begins elsewhere, or reads in another way, has a `run` of its own with the
    same steps: `find_start`, `start`, `observe_all` (any number of times) and `finish`. A subclass that collects what
    is read overrides the two hooks, `preceded` and `observed`; here they do nothing.
    """

    records: StoredRecords
    journal: JournalReader
    log: LogReader
    clock: Clock
    org_id: str
    within: Range
    head: Head = EMPTY_CHAIN
    locks: bool = True
    checker: ChainChecker = field(init=False)
    roots: RootChecker = field(init=False)
    end: End = field(init=False)
    complete: bool = False
    last_key: str = ""
    _found_by_time: bool = False

    def run(self, deadline_ms: int) -> None:
        """Check everything in the range, or what can be checked before the deadline (Unix ms)."""
        self.start(*self.find_start())
        self.roots.begin()
        listed = self.records.versions(self.org_id, after=self.last_key)
        self.finish(complete=self.observe_all(listed, deadline_ms))

    def start(self, start: int, after: str) -> None:
        """Begin with the record of sequence `start`; `after` is a key before that of its predecessor.

        The caller then begins `roots`, before anything is observed.
        """
        self.checker = ChainChecker(self.org_id, start=start, locks=self.locks)
        if self.head.sequence:
            self.checker.expect(ExpectedHash(self.head.sequence, self.head.tx_hash, "the table's head"))
        self.roots = RootChecker(self.log, self.org_id, self.checker)
        self.end = End(self.within, reached=start - 1)
        self.last_key = after

    def finish(self, *, complete: bool) -> None:
        """After the last object: check the end of the range. `complete` is False where the deadline came first."""
        self.complete = complete
        if self.complete:
            self._check_end()
        self.roots.finish()
        if self.complete:
            # The ledger goes on recording: what is expected by now may have come after the end of the listing.
            expected = max(self.checker.expected, default=0)
            last = self.end.last
            self._explain_gap(expected if last is None else min(last, expected))
            self.checker.finish(last, goes_on=self.end.beyond is not None)

    def find_start(self) -> tuple[int, str]:
        """The first sequence of the range, and a key before that of its predecessor."""
        start = self.within.start_seq or 1
        locator = Locator(self.records, self.org_id)
        if self.within.from_ms is not None:
            first = locator.first_at_or_after(self.within.from_ms)
            # With nothing there the range is empty, unless the head is later.
            start = max(start, first.sequence if first else self.head.sequence + 1)
            if first is None and self.head.timestamp_ms >= self.within.from_ms:
                start = self.head.sequence
        after = locator.key_before(start - 1, self.clock.now_ms())
        if self.within.from_ms is not None:
            # What the search did not see, because it was not sealed yet, or because a key misled it.
            for _ in range(_MOST_PENDING):
                if start <= (self.within.start_seq or 1) or not self._reaches(self.within.from_ms, start - 1, after):
                    break
                start -= 1
                after = locator.key_before(start - 1, self.clock.now_ms())
            self._found_by_time = start > (self.within.start_seq or 1)
        return start, after

    def _reaches(self, instant_ms: int, sequence: int, after: str) -> bool:
        """Whether this record, in the outbox or in the bucket, is not earlier than the instant."""
        waiting = self.journal.outbox(self.org_id, [sequence]).get(sequence)
        with suppress(record.UnknownFormat):
            if waiting is not None and record.read(waiting).timestamp_ms >= instant_ms:
                return True
        listed = self._listed_now(after, sequence + 1)
        return any(found.sequence == sequence and found.timestamp_ms >= instant_ms for found, _ in listed)

    def observe_all(self, listed: Iterable[KeyVersions], deadline_ms: int) -> bool:
        """Read and observe what is listed, up to the end of the range; False when the deadline came first."""
        for keys, stored in self.records.read_all(self.end.until(listed)):
            found = record.parse_key(keys.s3_key)
            begun = self.checker.next_sequence > self.checker.start
            if found is not None and found.sequence < self.checker.start and not begun:
                if found.sequence == self.checker.start - 1 and stored is not None:
                    self._precede(stored.data)
                continue
            if self.checker.lacks_predecessor:
                self._find_predecessor()
            if found is not None and found.sequence > self.checker.next_sequence:
                self._explain_gap(found.sequence - 1)
            self._observe(keys, stored)
            self.last_key = keys.s3_key
            if self.clock.now_ms() >= deadline_ms:
                return False
        return True

    def preceded(self, data: bytes) -> None:
        """Hook: these are the bytes of the record before the range, or of one of several in a fork."""

    def observed(self, seen: StoredObject, stored: StoredVersion | None, entry: Record | None) -> None:
        """Hook: this object was checked, in the order of keys. `entry` is None where it cannot be read as a record."""

    def _precede(self, data: bytes) -> None:
        before_ms = self.checker.precede(data)
        if self._found_by_time and before_ms >= max(self.within.from_ms or 0, 1):
            self.checker.report(
                FailureCode.TIME_REVERSED,
                self.checker.start - 1,
                "this record belongs to the asked time, but some key after it claims to be earlier: records may be "
                "left out at the beginning of the range; verify from an earlier sequence on",
            )
        self.preceded(data)

    def _observe(self, keys: KeyVersions, stored: StoredVersion | None) -> None:
        """Check the oldest version under one key, and take it into the tree."""
        seen, key = stored_object(keys, stored), record.parse_key(keys.s3_key)
        entry = self.checker.observe(seen)
        if key is not None and stored is not None:
            self.roots.add(key, seen.tx_hash)
        self.observed(seen, stored, entry)

    def _check_end(self) -> None:
        """Of the record that ends a range at an instant, only the key says that it is later: read the record, too."""
        found, keys, end_seq = self.end.beyond, self.end.beyond_keys, self.within.end_seq
        if found is None or keys is None or found.sequence != self.checker.next_sequence:
            return  # what lacks before it is missing
        if end_seq is not None and found.sequence > end_seq:
            return  # its place ends the range
        for _, stored in self.records.read_all([keys]):
            try:
                entry = record.read(stored.data if stored else b"")
            except record.UnknownFormat:
                entry = None
            if entry and says_the_same(entry, found) and self.roots.matches_next(entry.sequence, entry.tx_hash):
                return
        self.checker.report(
            FailureCode.CONTENT_MISMATCH,
            found.sequence,
            "the asked time ends with this record, which is not what its key says, or not the one that was signed: "
            "records may be left out at the end of the range; verify up to a later time",
        )

    def _find_predecessor(self) -> None:
        """For one that the listing did not show: it is in the outbox, or was sealed since, or is missing."""
        sequence = self.checker.start - 1
        waiting = self.journal.outbox(self.org_id, [sequence]).get(sequence)
        if waiting is not None and self.checker.read_pending(sequence, waiting) is not None:
            self._precede(waiting)
            return
        for _, stored in self.records.read_all(self._sealed_since(range(sequence, sequence + 1)).values()):
            if stored is not None:
                self._precede(stored.data)
        if self.checker.lacks_predecessor:
            self.checker.miss_predecessor()

    def _explain_gap(self, through: int) -> None:
        """Look for records that the listing did not show, a hundred at a time, as long as that finds any."""
        before = 0
        while before < self.checker.next_sequence <= through:
            before = self.checker.next_sequence
            self._explain_some(through)

    def _explain_some(self, through: int) -> None:
        """In the outbox, then in the bucket again.

        In this order nothing is missed: an outbox entry goes only after its record was read from the bucket.
        """
        gap = range(self.checker.next_sequence, min(through, self.checker.next_sequence + _MOST_PENDING - 1) + 1)
        waiting = self.journal.outbox(self.org_id, gap)
        sealed: dict[int, KeyVersions] | None = None
        for sequence in gap:
            pending = self.checker.read_pending(sequence, waiting[sequence]) if sequence in waiting else None
            if pending is not None and self._is_fresh(pending):
                self.checker.observe_pending(pending)
                continue
            if sealed is None:
                sealed = self._sealed_since(gap)
            if sequence not in sealed:
                return
            for keys, stored in self.records.read_all([sealed[sequence]]):
                self._observe(keys, stored)

    def _sealed_since(self, gap: range) -> dict[int, KeyVersions]:
        """Keys of records in the gap that a new listing after the last key shows."""
        listed = self._listed_now(self.last_key, gap.stop)
        return {found.sequence: keys for found, keys in listed if found.sequence in gap}

    def _listed_now(self, after: str, stop: int) -> Iterator[tuple[RecordKey, KeyVersions]]:
        """The record keys after `after` in a new listing, up to the first with a sequence of `stop` or more."""
        for keys in self.records.versions(self.org_id, after=after):
            found = record.parse_key(keys.s3_key)
            if found is not None and found.sequence >= stop:
                return
            if found is not None:
                yield found, keys

    def _is_fresh(self, pending: Record) -> bool:
        return self.clock.now_ms() - pending.timestamp_ms <= PENDING_GRACE_MS
