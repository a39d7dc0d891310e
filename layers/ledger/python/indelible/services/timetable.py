# SPDX-License-Identifier: Apache-2.0
"""When the next round begins, as far as it can be known: for whoever waits for an anchored proof."""

from __future__ import annotations

from indelible.errors import LedgerError
from indelible.ports import Clock, RoundStarts


class Timetable:
    """`period_ms` between two rounds; 0 where a cron expression says when, which nobody here reads."""

    def __init__(self, *, starts: RoundStarts, period_ms: int, clock: Clock) -> None:
        self._starts = starts
        self._period_ms = period_ms
        self._clock = clock

    def next_ms(self) -> int | None:
        """The first instant after now at which a round is due, in milliseconds since 1970; None when not known.

        A guess at a schedule is worth no refusal: a table that does not answer makes it unknown.
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
