# SPDX-License-Identifier: Apache-2.0
"""A scheduled round: who is visited, who is in nobody's way, and what the alarms get to see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from indelible.domain.organisation import OrgConfig
from indelible.errors import HeadRegressed, Unavailable
from indelible.services.anchor import AnchorReport
from indelible.services.rounds import Rounds
from tests.fakes.chains import ORG
from tests.fakes.table import FakeOrganisations
from tests.fakes.world import World
from tests.faults.wire import Fault, Wire

CREATED = "2026-03-20T00:00:00.000Z"


def rounds(world: World, *names: str, anchor: Any = None) -> Rounds:
    organisations = FakeOrganisations({name: OrgConfig(name, CREATED, ()) for name in names})
    return Rounds(
        anchor=anchor or world.anchor(),
        news=world.news,
        organisations=organisations,
        clock=world.clock,
        telemetry=world.telemetry,
    )


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


def test_news_visits_those_with_news_and_a_sweep_everybody() -> None:
    world = World()
    world.record(1)
    world.record(2, org_id="globex")
    world.clock.advance(3_600_000)
    world.record(3, org_id="globex")

    heard = rounds(world, ORG, "globex", "initech").run("news", budget_ms=60_000)
    assert [report.org_id for report in heard.reports] == ["globex"]
    assert world.waiting() == [1]

    swept = rounds(world, ORG, "globex", "initech").run("sweep", budget_ms=60_000)
    assert [(report.org_id, report.records) for report in swept.reports] == [(ORG, 1), ("globex", 0), ("initech", 0)]
    assert world.waiting() == []


def test_a_lost_marker_is_made_good_by_the_sweep() -> None:
    world = World()
    wire = Wire(Fault(6, "before", "error"))
    world.appender(wire).append(world.submission(1))
    assert wire.calls[5] == "news.mark"

    assert rounds(world, ORG).run("news", budget_ms=60_000).reports == ()
    assert rounds(world, ORG).run("sweep", budget_ms=60_000).reports[0].records == 1


def test_an_outage_or_a_regression_of_one_stops_nobody() -> None:
    world = World()
    anchor = SlowAnchor(world, {"a1": Unavailable("no"), "c3": HeadRegressed("no"), "d4": KeyError("a fault of ours")})

    report = rounds(world, "a1", "b2", "c3", "d4", "e5", anchor=anchor).run("sweep", budget_ms=10**9)

    assert anchor.visited == ["a1", "b2", "c3", "d4", "e5"]
    assert report.failed == ("a1", "c3", "d4")
    assert [done.org_id for done in report.reports] == ["b2", "e5"]
    assert (world.telemetry.counts["HeadRegressed"], world.telemetry.counts["UnexpectedErrors"]) == (1, 1)
    assert [fields["org_id"] for _, fields in world.telemetry.notes] == ["a1", "c3", "d4"]


def test_when_the_time_is_over_the_rest_waits_and_is_counted() -> None:
    world = World()
    anchor = SlowAnchor(world)

    report = rounds(world, *(f"org-{n}" for n in range(5)), anchor=anchor).run("sweep", budget_ms=119_000)

    assert anchor.visited == ["org-0", "org-1"]
    assert report.not_reached == 3


def test_the_metrics_of_a_quiet_round_are_zeros_not_gaps() -> None:
    world = World()

    rounds(world).run("sweep", budget_ms=60_000)

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

    rounds(world, ORG, "globex").run("sweep", budget_ms=60_000)

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

    report = rounds(world, ORG).run("sweep", budget_ms=60_000)

    assert [failure.code.value for failure in report.reports[0].broken] == ["UNLOCKED"]
    assert world.telemetry.counts["BrokenChain"] == 1
    assert world.telemetry.counts["AnchorLagSeconds"] == 120
