# SPDX-License-Identifier: Apache-2.0
"""An export whose ends are instants: no planted key makes it shorter without a word."""

from __future__ import annotations

import pytest

from indelible.domain.export_job import ExportState
from tests.fakes.chains import ORG
from tests.unit.services.test_export_jobs import Office
from tests.unit.services.test_walk_misled import DAY_MS, junk


@pytest.fixture
def office() -> Office:
    """Records 11 to 20 are a second apart."""
    office = Office()
    for number in range(11, 21):
        office.world.clock.advance(1_000)
        office.world.record(number)
    return office


def read(office: Office, state: ExportState) -> tuple[int | None, bool | None]:
    assert state.status == "ready"
    return state.records, state.valid


def test_both_ends_are_where_the_instants_are(office: Office) -> None:
    sealed = office.world.sealed()
    state = office.ask(from_ms=sealed[12].timestamp_ms, to_ms=sealed[16].timestamp_ms)
    assert (state.job.first, state.job.last) == (13, 17)
    assert read(office, state) == (5, True)


def test_sequences_that_lie_further_in_are_the_ends(office: Office) -> None:
    sealed = office.world.sealed()
    state = office.ask(14, 16, from_ms=sealed[12].timestamp_ms, to_ms=sealed[16].timestamp_ms)
    assert (state.job.first, state.job.last, state.job.from_ms, state.job.to_ms) == (14, 16, None, None)
    assert read(office, state) == (3, True)


@pytest.mark.parametrize("start", [None, 12])
def test_a_key_planted_after_the_end_does_not_cut_it_short(office: Office, start: int | None) -> None:
    sealed = office.world.sealed()
    later = sealed[-1].timestamp_ms + 2 * DAY_MS
    junk(office.world, day_of_ms=later, sequence=14, time_ms=later)
    state = office.ask(start, to_ms=sealed[-1].timestamp_ms)
    assert state.job.last == 13, "the key is believed while looking"
    assert read(office, state) == (21 - (start or 1) + 1, False), "all of them, and the key"


def test_a_key_planted_before_the_beginning_does_not_move_it(office: Office) -> None:
    sealed = office.world.sealed()
    junk(office.world, day_of_ms=sealed[0].timestamp_ms, sequence=17, time_ms=sealed[0].timestamp_ms - 1)
    state = office.ask(from_ms=sealed[12].timestamp_ms)
    assert state.job.first == 18, "the key is believed while looking"
    assert read(office, state) == (8 + 1, False), "all of them, and the key"


def test_the_same_instants_are_the_same_export(office: Office) -> None:
    sealed = office.world.sealed()
    asked = {"from_ms": sealed[12].timestamp_ms, "to_ms": sealed[16].timestamp_ms}
    first = office.ask(**asked)
    office.world.clock.advance(1_000)
    office.world.record(21)
    assert office.ask(**asked) == first
    assert [one.org_id for one in office.packers.started] == [ORG]
