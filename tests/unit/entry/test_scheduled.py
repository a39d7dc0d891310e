# SPDX-License-Identifier: Apache-2.0
"""The scheduled door: which run an event means, and that the ledger's own log comes last and stops nothing."""

from __future__ import annotations

from typing import Any

import pytest

from indelible.domain.organisation import OrgConfig
from indelible.entry import scheduled
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.errors import InvalidField, Unavailable
from indelible.services.rounds import Rounds
from tests.fakes.chains import ORG
from tests.fakes.table import FakeOrganisations, FakeRoundStarts
from tests.fakes.world import Wiring, World
from tests.faults.wire import Fault, Wire
from tests.unit.entry.mcp_world import Context


@pytest.fixture(autouse=True)
def namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Indelible")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "indelible")


class Scheduled:
    """The anchor function on an in-memory world."""

    def __init__(self, world: World, wiring: Wiring | None = None) -> None:
        self.world = world
        self.starts: Any = FakeRoundStarts()
        self.ledger_log = world.ledger_log(wiring)

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        organisations = FakeOrganisations({ORG: OrgConfig(ORG, "2026-03-20T00:00:00.000Z", ())})
        rounds = Rounds(
            anchor=self.world.anchor(),
            news=self.world.news,
            organisations=organisations,
            clock=self.world.clock,
            telemetry=self.world.telemetry,
        )
        return scheduled.anchor(
            event,
            Context(),
            rounds=lambda: rounds,
            ledger_log=lambda: self.ledger_log,
            starts=lambda: self.starts,
            clock=self.world.clock,
            telemetry=PowertoolsTelemetry(),
        )


@pytest.mark.parametrize("event", [{"run": "news"}, {"run": "sweep"}, {"org_id": ORG}], ids=str)
def test_every_round_ends_with_the_ledgers_own_log(event: dict[str, Any]) -> None:
    world = World()
    world.record(1, 2)

    done = Scheduled(world)(event)

    assert (done["records"], done["failed"]) == (2, [])
    assert (done["ledger"]["leaves"], done["ledger"]["failed"]) == (1, None)
    assert world.ledger_register.state.published == 1


def test_the_ledgers_own_log_alone() -> None:
    world = World()
    world.record(1)
    world.anchored()
    world.record(2)

    done = Scheduled(world)({"log": "ledger"})

    assert set(done) == {"ledger"}
    assert (done["ledger"]["tree_size"], world.register.read(ORG).tree_size) == (1, 1)


def test_its_trouble_is_not_the_rounds() -> None:
    world = World()
    world.record(1)

    done = Scheduled(world, Wire(Fault(1, "before", "error")))({"run": "news"})

    assert (done["records"], done["ledger"]) == (1, {"failed": "UNAVAILABLE"})


def test_only_the_rounds_at_the_rate_say_when_they_begin() -> None:
    scheduled_now = Scheduled(World())
    for event in ({"run": "sweep"}, {"org_id": ORG}, {"log": "ledger"}):
        scheduled_now(event)
    assert scheduled_now.starts.last() is None
    scheduled_now({"run": "news"})
    assert scheduled_now.starts.last() == scheduled_now.world.clock.now


def test_a_round_that_cannot_say_when_it_began_goes_on() -> None:
    class Deaf:
        def begin(self, now_ms: int) -> None:
            raise Unavailable("no answer")

    world = World()
    world.record(1)
    round_of = Scheduled(world)
    round_of.starts = Deaf()

    assert round_of({"run": "news"})["records"] == 1


@pytest.mark.parametrize("event", [{}, {"run": "walk"}, {"log": "organisation"}, {"org_id": 7}], ids=str)
def test_what_it_does_not_know_it_refuses(event: dict[str, Any]) -> None:
    with pytest.raises(InvalidField):
        Scheduled(World())(event)
