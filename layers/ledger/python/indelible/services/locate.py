# SPDX-License-Identifier: Apache-2.0
"""Find the start of a range in the bucket by bisection, listing one key at a time.

Neither the table nor an index is read: keys are in chain order, so some thirty listings of one key find any sequence or
instant among decades of records.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

from indelible.domain import instants, record
from indelible.domain.audit_id import MAX_SEQUENCE
from indelible.domain.record import RecordKey
from indelible.ports import StoredRecords


class Locator:
    """Where in an organisation's keys a range begins."""

    def __init__(self, records: StoredRecords, org_id: str) -> None:
        self._records = records
        self._org_id = org_id

    def key_before(self, sequence: int, now_ms: int) -> str:
        """A key after which the listing starts with `sequence` (or, if it is missing, with what follows)."""
        first = self._first(f"{self._org_id}/") if sequence > 0 else None
        if first is None or first.sequence > sequence:
            return f"{self._org_id}/"

        def begins_later(day: int) -> bool:
            found = self._first(record.day_prefix(self._org_id, day * instants.DAY_MS))
            return found is None or found.sequence > sequence

        # The first day on which everything is later; the record is in the day before that.
        low = instants.from_text(f"{first.day}T00:00:00Z") // instants.DAY_MS
        high = min(max(low, now_ms // instants.DAY_MS) + 2, instants.MAX_MS // instants.DAY_MS + 1)
        day = low + _first_true(high - low, lambda offset: begins_later(low + offset)) - 1
        return f"{record.day_prefix(self._org_id, max(day, low) * instants.DAY_MS)}{sequence:012d}"

    def first_at_or_after(self, instant_ms: int) -> RecordKey | None:
        """The first record that is not earlier than the instant."""
        prefix = record.day_prefix(self._org_id, instant_ms)
        first = self._first(prefix)
        if first is None or first.timestamp_ms >= instant_ms:
            return first
        early = first.sequence

        def after(offset: int) -> str:
            sequence = early + offset
            return f"{prefix}{sequence:012d}" if sequence <= MAX_SEQUENCE else f"{prefix}~"  # behind the day

        def reached(offset: int) -> bool:
            found = self._first(after(offset))
            return found is None or found.timestamp_ms >= instant_ms

        most = MAX_SEQUENCE + 1 - early
        reach = 1
        while reach < most and not reached(reach):
            reach *= 2
        return self._first(after(_first_true(min(reach, most), reached)))

    def first_after(self, instant_ms: int) -> RecordKey | None:
        """The first record that is later than the instant."""
        return None if instant_ms >= instants.MAX_MS else self.first_at_or_after(instant_ms + 1)

    def _first(self, after: str) -> RecordKey | None:
        key = self._records.first_key_after(self._org_id, after)
        return record.parse_key(key) if key else None


def _first_true(stop: int, test: Callable[[int], bool]) -> int:
    """The first offset below `stop` for which the monotone test holds; `stop` when there is none."""
    return bisect_left(range(stop), True, key=test)
