# SPDX-License-Identifier: Apache-2.0
"""The table's ordering half, in memory.

Invariants that it asserts on whoever calls it: the head moves only by compare-and-swap and only along a real
chain; an outbox entry goes only after its record was stored *and read back* from the bucket (G3).
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from indelible.domain import instants
from indelible.domain import record as records
from indelible.domain.record import EMPTY_CHAIN, Head, Record
from indelible.errors import HeadRegressed
from indelible.ports import (
    MAX_BYTES_PER_COMMIT,
    MAX_RECORDS_PER_COMMIT,
    AlreadyRecorded,
    HeadMoved,
    Idempotency,
    Remembered,
)
from tests.fakes.bucket import Bucket

IDEMPOTENCY_MS = 30 * 86_400_000


@dataclass(frozen=True, slots=True)
class TableState:
    """Everything that a point-in-time restore brings back."""

    heads: dict[str, Head]
    waiting: dict[str, dict[int, bytes]]
    remembered: dict[tuple[str, str, int], tuple[Remembered, int]]
    days: dict[tuple[str, str], int]


@dataclass(slots=True)
class FakeJournal:
    """Journal, wired to the bucket that its outbox must end up in."""

    bucket: Bucket
    heads: dict[str, Head] = field(default_factory=dict)
    waiting: dict[str, dict[int, bytes]] = field(default_factory=dict)
    remembered: dict[tuple[str, str, int], tuple[Remembered, int]] = field(default_factory=dict)
    days: dict[tuple[str, str], int] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def head(self, org_id: str) -> Head:
        with self.lock:
            return self.heads.get(org_id, EMPTY_CHAIN)

    def commit(self, head: Head, records: Sequence[Record], idempotency: Idempotency | None, now_ms: int) -> None:
        _assert_commit_is_well_formed(head, records)
        org_id = records[0].org_id
        with self.lock:
            if idempotency is not None:
                taken = self.remembered.get((org_id, idempotency.key_hash, idempotency.start))
                if taken is not None and taken[1] >= now_ms:
                    raise AlreadyRecorded(taken[0])
            now = self.heads.get(org_id, EMPTY_CHAIN)
            if (now.sequence, now.tx_hash) != (head.sequence, head.tx_hash):
                raise HeadMoved(now)
            outbox = self.waiting.get(org_id, {})
            if any(record.sequence in outbox for record in records):
                raise HeadRegressed("the outbox already has a record for the next sequence")
            self.waiting[org_id] = outbox | {record.sequence: record.data for record in records}
            if idempotency is not None:
                audit_ids = tuple(record.audit_id for record in records)
                expires_ms = now_ms + IDEMPOTENCY_MS
                self.remembered[org_id, idempotency.key_hash, idempotency.start] = (
                    Remembered(idempotency.request_hash, audit_ids, records[-1].tx_hash),
                    expires_ms,
                )
            last_day = instants.day(head.timestamp_ms) if head.sequence else None
            for record in records:
                day = instants.day(record.timestamp_ms)
                if day != last_day:
                    self.days[org_id, day] = record.sequence
                    last_day = day
            self.heads[org_id] = records[-1].head

    def outbox(self, org_id: str, sequences: Sequence[int]) -> dict[int, bytes]:
        with self.lock:
            waiting = self.waiting.get(org_id, {})
            return {sequence: waiting[sequence] for sequence in sorted({*sequences} & waiting.keys())}

    def clear(self, org_id: str, sequences: Sequence[int]) -> None:
        with self.lock:
            for sequence in sequences:
                data = self.waiting.get(org_id, {}).get(sequence)
                if data is not None:
                    self._assert_read_back(data)
                    del self.waiting[org_id][sequence]

    def snapshot(self) -> TableState:
        """A backup."""
        with self.lock:
            return TableState(*copy.deepcopy((self.heads, self.waiting, self.remembered, self.days)))

    def restore(self, state: TableState) -> None:
        """What an operator does to the table, in good faith or not."""
        with self.lock:
            self.heads, self.waiting, self.remembered, self.days = copy.deepcopy(
                (state.heads, state.waiting, state.remembered, state.days)
            )

    def _assert_read_back(self, data: bytes) -> None:
        record = records.read(data)
        stored = next(iter(self.bucket.versions(record.s3_key)), None)
        assert stored is not None, f"G3: the outbox entry of {record.sequence} was cleared before it was stored"
        assert stored.data == data, f"G3: the bucket holds something else than the outbox for {record.sequence}"
        assert (record.s3_key, stored.version_id) in self.bucket.read_back, (
            f"G3: the outbox entry of {record.sequence} was cleared before it was read back"
        )


def _assert_commit_is_well_formed(head: Head, chain: Sequence[Record]) -> None:
    assert chain, "an empty commit moves nothing"
    assert len(chain) <= MAX_RECORDS_PER_COMMIT, "more records than one transaction takes"
    assert len(chain) == 1 or sum(len(record.data) for record in chain) <= MAX_BYTES_PER_COMMIT, "too many bytes"
    assert len({record.org_id for record in chain}) == 1, "one commit, one organisation"
    last = head
    for record in chain:
        assert (record.sequence, record.prev_hash) == (last.sequence + 1, last.tx_hash), "not a chain from this head"
        assert record.timestamp_ms >= last.timestamp_ms, "time runs backwards"
        last = record.head
