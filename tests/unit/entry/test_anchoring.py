# SPDX-License-Identifier: Apache-2.0
"""The anchor's handler: a batch of organisations, or the ledger's own log, whose trouble is an answer."""

from __future__ import annotations

from typing import Any

import pytest

from indelible.entry import anchoring
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.errors import InvalidField
from indelible.services.rounds import Rounds
from tests.fakes.chains import ORG
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
        self.ledger_log = world.ledger_log(wiring)

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        world = self.world
        rounds = Rounds(anchor=world.anchor(), clock=world.clock, telemetry=world.telemetry)
        return anchoring.anchor(
            event,
            Context(),
            rounds=lambda: rounds,
            ledger_log=lambda: self.ledger_log,
            clock=world.clock,
            telemetry=PowertoolsTelemetry(),
        )


def test_a_batch_is_anchored_and_nothing_else() -> None:
    world = World()
    world.record(1, 2)
    world.record(11, org_id="globex")

    done = Scheduled(world)({"organisations": [ORG]})

    assert done == {
        "organisations": 1,
        "records": 2,
        "sealed": 0,
        "repaired": 0,
        "unfinished": 0,
        "broken": {},
        "failed": {},
        "not_reached": [],
    }
    assert (world.register.read("globex").tree_size, world.ledger_register.state.published) == (0, 0)


def test_a_broken_chain_is_told_by_its_first_place_in_few_words() -> None:
    world = World()
    world.record(1, 2, 3)
    key = world.administrator.key_of(ORG, 2)
    world.administrator.rot(key, world.bucket.versions(key)[0].data.replace(b'"number":2', b'"number":7'))

    found = Scheduled(world)({"organisations": [ORG]})["broken"][ORG]

    assert (found["code"], found["sequence"]) == ("CONTENT_MISMATCH", 2)
    assert 0 < len(found["detail"]) <= 80


def test_the_ledgers_own_log_alone() -> None:
    world = World()
    world.record(1)
    world.anchored()
    world.record(2)

    done = Scheduled(world)({"log": "ledger"})

    assert (done["tree_size"], done["leaves"], done["failed"]) == (1, 1, None)
    assert world.register.read(ORG).tree_size == 1


def test_its_trouble_is_an_answer() -> None:
    assert Scheduled(World(), Wire(Fault(1, "before", "error")))({"log": "ledger"}) == {"failed": "UNAVAILABLE"}


@pytest.mark.parametrize(
    "event", [{}, {"run": "news"}, {"log": "organisation"}, {"organisations": ORG}, {"organisations": [7]}], ids=str
)
def test_what_it_does_not_know_it_refuses(event: dict[str, Any]) -> None:
    with pytest.raises(InvalidField):
        Scheduled(World())(event)
