# SPDX-License-Identifier: Apache-2.0
"""When the next round of the anchor will begin, for clients that wait for an anchored proof."""

from __future__ import annotations

from indelible.errors import LedgerError
from indelible.ports import Clock, RoundStarts


class Timetable:
    """`period_ms` is the time between two rounds; 0 where a cron expression schedules them, which is not evaluated."""

    def __init__(self, *, starts: RoundStarts, period_ms: int, clock: Clock) -> None:
        self._starts = starts
        self._period_ms = period_ms
        self._clock = clock

    def next_ms(self) -> int | None:
        """The next instant at which a round is due (Unix milliseconds); None where that is not known.

        A hint is not worth an error: None, too, where the table does not answer.
        """
        if not self._period_ms:
            return None
        try:
            last = self._starts.last()
        except LedgerError:
            return None
        if last is None:
            return None
        missed = max(0, self._clock.now_ms() - last) // self._period_ms
        return last + (missed + 1) * self._period_ms
