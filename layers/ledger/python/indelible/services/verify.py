# SPDX-License-Identifier: Apache-2.0
"""Verify a range of an organisation's chain from the object versions in the bucket.

The bucket is the evidence. Two things are read from the table, and neither is trusted. The bucket must have the head's
record: a chain alone does not show that its end was cut off. The outbox explains a record that is committed but not
sealed yet, and only for a quarter of an hour.
"""

from __future__ import annotations

from dataclasses import dataclass

from indelible.domain.checkpoint import Checkpoint
from indelible.domain.findings import Failure, in_order
from indelible.domain.record import Head
from indelible.ports import Clock, JournalReader, StoredRecords
from indelible.services.log import LogReader
from indelible.services.ranges import Range
from indelible.services.walk import Walk


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

    def verify(self, org_id: str, within: Range, *, deadline_ms: int) -> Verdict:
        """Check the range, as far as it goes before the deadline (Unix ms)."""
        began = self._clock.now_ms()
        # The head first: whatever it says must be in the bucket or the outbox from here on.
        head = self._journal.head(org_id)
        walk = Walk(self._records, self._journal, self._log, self._clock, org_id, within, head)
        walk.run(deadline_ms)
        checker = walk.checker
        broken = checker.failures_total > 0
        return Verdict(
            valid=False if broken else True if walk.complete else None,
            entries_checked=checker.entries_checked,
            first_broken_at=checker.first_broken_at,
            verification_time_ms=self._clock.now_ms() - began,
            failures=in_order(checker.failures),
            failures_total=checker.failures_total,
            pending=checker.pending,
            complete=walk.complete,
            next_seq=None if walk.complete else checker.next_sequence,
            head=head,
            checkpoint=walk.roots.last,
        )
