# SPDX-License-Identifier: Apache-2.0
"""A round in parts: who is chosen, who shares a function, who is in nobody's way, and what the alarms get to see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from indelible.domain.organisation import OrgConfig
from indelible.errors import HeadRegressed, NotFound, Unavailable
from indelible.services.anchor import AnchorReport
from indelible.services.planner import BATCH_SIZE, PAGE_SIZE, Planner, Run
from indelible.services.rounds import Rounds
from tests.fakes.chains import ORG
from tests.fakes.table import FakeNews, FakeOrganisations
from tests.fakes.world import World
from tests.faults.wire import Fault, Wire

CREATED = "2026-03-20T00:00:00.000Z"


def rounds(world: World, anchor: Any = None) -> Rounds:
    return Rounds(anchor=anchor or world.anchor(), clock=world.clock, telemetry=world.telemetry)


def planner(world: World, *names: str, news: FakeNews | None = None, concurrency: int = 20) -> Planner:
    organisations = FakeOrganisations({name: OrgConfig(name, CREATED, ()) for name in names})
    return Planner(news=news or world.news, organisations=organisations, clock=world.clock, concurrency=concurrency)


def everybody(chooser: Planner, run: Run) -> Iterator[str]:
    page = chooser.choose(run)
    yield from page.names
    while page.after is not None:
        page = chooser.choose(run, after=page.after)
        assert len(page.names) <= PAGE_SIZE
        yield from page.names


@dataclass
class SlowAnchor:
    """Takes a minute for each, and fails where told."""

    world: World
    failing: dict[str, Exception] = field(default_factory=dict)
    visited: list[str] = field(default_factory=list)

    def run(self, org_id: str, *, deadline_ms: int) -> AnchorReport:
        self.visited.append(org_id)
        self.world.clock.advance(60_000)
        if org_id in self.failing:
            raise self.failing[org_id]
        return AnchorReport(org_id, tree_size=1, records=1)


# -- choosing ---------------------------------------------------------------------------------------------


def test_news_chooses_those_with_news_and_a_sweep_everybody() -> None:
    world = World()
    world.record(1)
    world.clock.advance(3_600_000)
    world.record(3, org_id="globex")
    chooser = planner(world, ORG, "globex", "initech")

    assert list(everybody(chooser, "news")) == ["globex"]
    assert list(everybody(chooser, "sweep")) == [ORG, "globex", "initech"]


def test_a_lost_marker_is_made_good_by_the_sweep() -> None:
    world = World()
    wire = Wire(Fault(6, "before", "error"))
    world.appender(wire).append(world.submission(1))
    assert wire.calls[5] == "news.mark"

    assert list(everybody(planner(world, ORG), "news")) == []
    assert list(everybody(planner(world, ORG), "sweep")) == [ORG]


@pytest.mark.parametrize("run", ["news", "sweep"])
@pytest.mark.parametrize("count", [PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 3 * PAGE_SIZE])
def test_many_come_in_pages_and_everybody_once(run: Run, count: int) -> None:
    world = World()
    names = sorted(f"org-{number}" for number in range(count))
    for name in names:
        world.news.mark(name, world.clock.now)

    assert list(everybody(planner(world, *names), run)) == names


def test_one_organisation_is_chosen_by_name() -> None:
    chooser = planner(World(), ORG, "globex", "_admin")

    assert chooser.choose("org", org_id=ORG).names == (ORG,)
    assert chooser.choose("org", org_id="_admin").names == ("_admin",)


@pytest.mark.parametrize("name", ["initech", "", "_ledger", "acme corp", "a" * 64])
def test_who_is_not_registered_is_named(name: str) -> None:
    with pytest.raises(NotFound, match=f"no organisation '{name}'"):
        planner(World(), ORG).choose("org", org_id=name)


@pytest.mark.parametrize(
    ("count", "concurrency", "sizes"),
    [
        (0, 20, []),
        (1, 20, [1]),
        (20, 20, [1] * 20),
        (21, 20, [2] * 10 + [1]),
        (30, 2, [10, 10, 10]),
        (PAGE_SIZE, 20, [BATCH_SIZE] * (PAGE_SIZE // BATCH_SIZE)),
        (15, 500, [1] * 15),
    ],
)
def test_few_get_a_function_each_and_many_share_one(count: int, concurrency: int, sizes: list[int]) -> None:
    names = [f"org-{number}" for number in range(count)]

    batches = planner(World(), concurrency=concurrency).batches(names)

    assert [len(batch) for batch in batches] == sizes
    assert [name for batch in batches for name in batch] == names


# -- anchoring a batch ------------------------------------------------------------------------------------


def test_an_outage_or_a_regression_of_one_stops_nobody() -> None:
    world = World()
    anchor = SlowAnchor(world, {"a1": Unavailable("no"), "c3": HeadRegressed("no"), "d4": KeyError("a fault of ours")})

    report = rounds(world, anchor).anchor(["a1", "b2", "c3", "d4", "e5"], budget_ms=10**9)

    assert anchor.visited == ["a1", "b2", "c3", "d4", "e5"]
    assert report.failed == {"a1": "UNAVAILABLE", "c3": "HEAD_REGRESSED", "d4": "INTERNAL"}
    assert [done.org_id for done in report.reports] == ["b2", "e5"]
    assert (world.telemetry.counts["HeadRegressed"], world.telemetry.counts["UnexpectedErrors"]) == (1, 1)
    assert [fields["org_id"] for _, fields in world.telemetry.notes] == ["a1", "c3", "d4"]


def test_when_the_time_is_over_the_rest_is_named() -> None:
    world = World()
    anchor = SlowAnchor(world)

    report = rounds(world, anchor).anchor([f"org-{n}" for n in range(5)], budget_ms=119_000)

    assert anchor.visited == ["org-0", "org-1"]
    assert report.not_reached == ("org-2", "org-3", "org-4")


@pytest.mark.parametrize("fails", [False, True])
def test_the_first_is_reached_even_when_there_is_no_time_and_no_other_is(fails: bool) -> None:
    world = World()
    anchor = SlowAnchor(world, {"a1": Unavailable("no")} if fails else {})

    report = rounds(world, anchor).anchor(["a1", "b2"], budget_ms=0)

    assert (anchor.visited, report.not_reached) == (["a1"], ("b2",))


def test_the_metrics_of_a_quiet_batch_are_zeros_not_gaps() -> None:
    world = World()

    rounds(world).anchor([ORG], budget_ms=60_000)

    assert world.telemetry.counts == {
        "BrokenChain": 0,
        "ShadowedRecords": 0,
        "AnchorLagSeconds": 0,
        "OutboxAgeSeconds": 0,
    }


def test_the_outbox_s_age_is_that_of_the_oldest_entry_that_had_to_be_sealed() -> None:
    world = World()
    for org_id in (ORG, "globex"):
        wire = Wire(Fault(4, "before", "error"))
        try:
            world.appender(wire).append(world.submission(1, org_id=org_id))
        except Exception:
            world.clock.advance(90_000)

    rounds(world).anchor([ORG, "globex"], budget_ms=60_000)

    assert world.telemetry.counts["OutboxAgeSeconds"] == 180
    assert world.telemetry.counts["RecordsAnchored"] == 2


def test_a_broken_chain_is_behind_by_the_age_of_what_is_not_covered() -> None:
    world = World()
    world.record(1)
    world.anchor().run(ORG, deadline_ms=world.clock.now + 60_000)
    world.clock.advance(30 * 86_400_000)  # idle for a month
    world.record(2)
    world.administrator.set_lock(world.administrator.key_of(ORG, 2), None)
    world.clock.advance(120_000)

    report = rounds(world).anchor([ORG], budget_ms=60_000)

    assert [failure.code.value for failure in report.reports[0].broken] == ["UNLOCKED"]
    assert world.telemetry.counts["BrokenChain"] == 1
    assert world.telemetry.counts["AnchorLagSeconds"] == 120
