# SPDX-License-Identifier: Apache-2.0
"""When the next round is due, and that not knowing it is no failure."""

from __future__ import annotations

import pytest

from indelible.errors import Unavailable
from indelible.services.timetable import Timetable
from tests.fakes.machine import ManualClock
from tests.fakes.table import FakeRoundStarts

PERIOD = 300_000


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (0, PERIOD),
        (1, PERIOD - 1),
        (PERIOD - 1, 1),
        (PERIOD, PERIOD),
        (PERIOD + 1, PERIOD - 1),
        (10 * PERIOD + 7, PERIOD - 7),
    ],
)
def test_it_is_due_a_period_after_the_last_one_or_when_it_would_have_been(since: int, until: int) -> None:
    clock = ManualClock()
    starts = FakeRoundStarts(clock.now - since)
    assert Timetable(starts=starts, period_ms=PERIOD, clock=clock).next_ms() == clock.now + until


def test_a_clock_that_is_behind_the_table_s_gives_the_next_one_all_the_same() -> None:
    clock = ManualClock()
    starts = FakeRoundStarts(clock.now + 2_000)
    assert Timetable(starts=starts, period_ms=PERIOD, clock=clock).next_ms() == clock.now + 2_000 + PERIOD


def test_without_a_round_or_a_rate_nobody_knows() -> None:
    clock = ManualClock()
    assert Timetable(starts=FakeRoundStarts(), period_ms=PERIOD, clock=clock).next_ms() is None
    assert Timetable(starts=FakeRoundStarts(clock.now), period_ms=0, clock=clock).next_ms() is None


def test_a_table_that_does_not_answer_is_not_the_proof_s_trouble() -> None:
    class Silent(FakeRoundStarts):
        def last(self) -> int | None:
            raise Unavailable("no answer")

    assert Timetable(starts=Silent(), period_ms=PERIOD, clock=ManualClock()).next_ms() is None
