# SPDX-License-Identifier: Apache-2.0
"""Verify a range of an organisation's chain from the object versions in the bucket.

The bucket is the evidence; the table is asked for two things only, and believed in neither. The head is a
promise that the bucket must keep (a chain does not notice that its end was cut off). The outbox explains a
record that is committed but not sealed yet, and only for a quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from indelible.domain import record
from indelible.domain.chain import ChainChecker
from indelible.domain.checkpoint import Checkpoint
from indelible.domain.findings import Failure, Promise
from indelible.domain.record import Head
from indelible.ports import Clock, JournalReader, KeyVersions, StoredRecords, StoredVersion
from indelible.services.locate import Locator
from indelible.services.log import LogReader
from indelible.services.ranges import End, Range
from indelible.services.roots import Roots
from indelible.services.specimen import specimen

PENDING_GRACE_MS = 15 * 60_000
"""A record may wait in the outbox this long before it counts as missing."""

_MOST_PENDING = 100


@dataclass(frozen=True, slots=True)
class Verdict:
    """`valid` is None when time ran out with nothing found so far: then go on at `next_seq`."""

    valid: bool | None
    entries_checked: int
    first_broken_at: int | None
    verification_time_ms: int
    failures: list[Failure]
    failures_total: int
    pending: list[int]
    complete: bool
    next_seq: int | None
    head: Head
    checkpoint: Checkpoint | None


class Verifier:
    """One per environment; holds no state between calls."""

    def __init__(self, *, records: StoredRecords, journal: JournalReader, log: LogReader, clock: Clock) -> None:
        self._records = records
        self._log = log
        self._journal = journal
        self._clock = clock

    def verify(self, org_id: str, asked: Range, *, deadline_ms: int) -> Verdict:
        """Check the range, as far as it goes before the deadline (Unix ms)."""
        began = self._clock.now_ms()
        # The head first: whatever it says must be in the bucket or the outbox from here on.
        head = self._journal.head(org_id)
        run = Walk(self._records, self._journal, self._log, self._clock, org_id, asked, head)
        run.go(deadline_ms)
        checker = run.checker
        broken = checker.failures_total > 0
        return Verdict(
            valid=False if broken else True if run.complete else None,
            entries_checked=checker.entries_checked,
            first_broken_at=checker.first_broken_at,
            verification_time_ms=self._clock.now_ms() - began,
            failures=checker.failures,
            failures_total=checker.failures_total,
            pending=checker.pending,
            complete=run.complete,
            next_seq=None if run.complete else checker.next_sequence,
            head=head,
            checkpoint=run.roots.last,
        )


@dataclass(slots=True)
class Walk:
    """One walk along the keys. `locks` is False for a store that does not show them."""

    records: StoredRecords
    journal: JournalReader
    log: LogReader
    clock: Clock
    org_id: str
    asked: Range
    head: Head
    locks: bool = True
    checker: ChainChecker = field(init=False)
    roots: Roots = field(init=False)
    end: End = field(init=False)
    complete: bool = False
    _last_key: str = ""

    def go(self, deadline_ms: int) -> None:
        """Check everything in the range, or what can be checked before the deadline."""
        start, after = self._begin()
        self.checker = ChainChecker(self.org_id, start=start, locks=self.locks)
        if self.head.sequence:
            promise = Promise(self.head.sequence, self.head.tx_hash, "the table's head")
            self.checker.promises[promise.sequence] = promise
        self.roots = Roots(self.log, self.org_id, self.checker)
        self.end = End(self.asked)
        self._prepare()
        self._last_key = after
        self.complete = self._walk(deadline_ms)
        self.roots.finish()
        if self.complete:
            last = self.end.last
            self._explain_gap(self.head.sequence if last is None else min(last, self.head.sequence))
            self.checker.finish(last, goes_on=self.end.beyond is not None)

    def _prepare(self) -> None:
        self.roots.begin()

    def _begin(self) -> tuple[int, str]:
        """The first sequence to check, and a key before its predecessor's."""
        start = self.asked.start_seq or 1
        locator = Locator(self.records, self.org_id)
        if self.asked.from_ms is not None:
            first = locator.first_at_or_after(self.asked.from_ms)
            # With nothing there the range is empty, unless the head promises something later.
            start = max(start, first.sequence if first else self.head.sequence + 1)
            if first is None and self.head.timestamp_ms >= self.asked.from_ms:
                start = self.head.sequence
        if start == 1:
            return 1, f"{self.org_id}/"
        return start, locator.key_before(start - 1, self.clock.now_ms())

    def _walk(self, deadline_ms: int) -> bool:
        """Check everything in the range; False when the deadline came first."""
        return self._observe_all(self.records.versions(self.org_id, after=self._last_key), deadline_ms)

    def _observe_all(self, listed: Iterator[KeyVersions], deadline_ms: int) -> bool:
        for keys, stored in self.records.read_all(self.end.until(listed)):
            found = record.parse_key(keys.s3_key)
            if found is not None and found.sequence < self.checker.start:
                if found.sequence == self.checker.start - 1 and stored is not None:
                    self.checker.precede(stored.data)
                continue
            if self.checker.lacks_predecessor:
                self._find_predecessor()
            if found is not None and found.sequence > self.checker.next_sequence:
                self._explain_gap(found.sequence - 1)
            self._observe(keys, stored)
            self._last_key = keys.s3_key
            if self.clock.now_ms() >= deadline_ms:
                return False
        return True

    def _observe(self, keys: KeyVersions, stored: StoredVersion | None) -> None:
        self.checker.observe(specimen(keys, stored))
        found = record.parse_key(keys.s3_key)
        if found is not None and stored is not None:
            self.roots.add(found, record.tx_hash(stored.data))

    def _find_predecessor(self) -> None:
        """The listing did not show it: it waits in the outbox, or it is missing."""
        sequence = self.checker.start - 1
        waiting = self.journal.outbox(self.org_id, [sequence]).get(sequence)
        if waiting is None:
            self.checker.miss_predecessor()
        else:
            self.checker.precede(waiting)

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
            if sequence in waiting and self._is_fresh(waiting[sequence]):
                self.checker.observe_pending(waiting[sequence])
                continue
            if sealed is None:
                sealed = self._sealed_since(gap)
            if sequence not in sealed:
                return
            for keys, stored in self.records.read_all([sealed[sequence]]):
                self._observe(keys, stored)

    def _sealed_since(self, gap: range) -> dict[int, KeyVersions]:
        found: dict[int, KeyVersions] = {}
        for keys in self.records.versions(self.org_id, after=self._last_key):
            key = record.parse_key(keys.s3_key)
            if key is None or key.sequence >= gap.stop:
                break
            found[key.sequence] = keys
        return found

    def _is_fresh(self, waiting: bytes) -> bool:
        return self.clock.now_ms() - record.read(waiting).timestamp_ms <= PENDING_GRACE_MS
