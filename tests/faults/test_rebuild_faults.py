# SPDX-License-Identifier: Apache-2.0
"""A rebuild dies anywhere, and runs while the ledger records and anchors: running it again completes it."""

from __future__ import annotations

import pytest

from indelible.domain.record import ADMIN_ORG
from indelible.errors import LedgerError
from indelible.services import chain_replay
from indelible.services.rebuild import Rebuilt
from tests.fakes.chains import ORG
from tests.fakes.world import World
from tests.faults.cells import cells
from tests.faults.leftovers import run as anchor
from tests.faults.leftovers import world_with_leftovers
from tests.faults.oracle import Client, assert_guarantees
from tests.faults.stage import Stage
from tests.faults.wire import HOWS, WHENS, Fault, Killed, Wire
from tests.unit.services.test_registry import Office


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain_replay, "CHUNK", 3)
    monkeypatch.setattr(chain_replay, "_OUTBOX_CHUNK", 2)


def rebuild(world: World, wire: Wire | None = None) -> list[Rebuilt] | None:
    try:
        return world.rebuilder(wire).run(apply=True)
    except (LedgerError, Killed):
        return None


def set_back() -> World:
    """An administrated ledger, anchored, with more recorded since, whose table is a backup from the beginning."""
    office = Office()
    world = office.world
    office.registry.create(ORG)
    world.record(1, 2)
    backup = world.journal.snapshot()
    world.record(3, 4)
    world.anchored()
    world.anchored(org_id=ADMIN_ORG)
    world.record(5)
    world.lose_table()
    world.journal.restore(backup)
    del world.journal.waiting[ORG][2]
    return world


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("when", WHENS)
def test_every_call_of_a_rebuild_fails_in_every_way(when: str, how: str) -> None:
    honest, wire = set_back(), Wire()
    assert rebuild(honest, wire) is not None
    swaps = {"table.swap_head", "table.swap_log", "table.swap_config", "table.register", "table.index"}
    assert {*swaps, "news.mark"} <= set(wire.calls)
    wanted = (honest.journal.heads, honest.register.states, honest.organisations.configs, honest.index.entries)
    assert_guarantees(honest, [], before=[1, 2, 3, 4, 5])

    for at, name in enumerate(wire.calls, start=1):
        world = set_back()
        rebuild(world, Wire(Fault(at, when, how)))  # type: ignore[arg-type]
        again = rebuild(world)
        assert again is not None
        assert all(report.settled for report in again), f"cell: {name} (call {at}), {when}, {how}"
        assert_guarantees(world, [], before=[1, 2, 3, 4, 5])
        assert (world.journal.heads, world.register.states) == wanted[:2]
        assert (world.organisations.configs, world.index.entries) == wanted[2:]


@pytest.mark.parametrize("fault", [None, Fault(4, "before", "error")], ids=["sealed", "not-sealed"])
def test_a_rebuild_beside_a_writer_changes_nothing_at_any_step(fault: Fault | None) -> None:
    writing, rebuilding = Wire(), Wire()
    sample = world_with_leftovers()
    Client(sample, sample.submission(6)).ask(sample.appender(writing))
    rebuild(sample, rebuilding)
    for first, second in cells(range(len(writing.calls) + 2), range(len(rebuilding.calls) + 1), every=3):
        for plan in ([("writer", first), ("operator", second)], [("operator", second), ("writer", first)]):
            world, stage = world_with_leftovers(), Stage()
            client = Client(world, world.submission(6, key="key"))
            wire = Wire(fault, gate=stage.gate("writer"))

            def write(world: World = world, wire: Wire = wire, client: Client = client) -> None:
                client.insist(wire, world.appender(wire))

            def mend(world: World = world, stage: Stage = stage) -> list[Rebuilt] | None:
                return rebuild(world, Wire(gate=stage.gate("operator")))

            reports = stage.play({"writer": write, "operator": mend}, plan)["operator"]
            assert [report.refused for report in reports] == [()], f"cell: {plan}"
            assert [swap for swap in world.repair.swaps if swap.startswith("head")] == [], f"cell: {plan}"
            anchor(world)
            assert_guarantees(world, [client], before=[1, 2, 3, 4, 5])


def test_a_rebuild_beside_the_anchor_at_every_step() -> None:
    """Among them: the anchor seals and clears between the look at the bucket and the one at the outbox."""
    anchoring, rebuilding = Wire(), Wire()
    sample = world_with_leftovers()
    anchor(sample, anchoring)
    rebuild(world_with_leftovers(), rebuilding)
    for first, second in cells(range(len(anchoring.calls) + 1), range(len(rebuilding.calls) + 1), every=3):
        world, stage = world_with_leftovers(), Stage()

        def tidy(world: World = world, stage: Stage = stage) -> object:
            return anchor(world, Wire(gate=stage.gate("anchor")))

        def mend(world: World = world, stage: Stage = stage) -> list[Rebuilt] | None:
            return rebuild(world, Wire(gate=stage.gate("operator")))

        plan = [("operator", second), ("anchor", first), ("operator", None)]
        played = stage.play({"anchor": tidy, "operator": mend}, plan)
        assert played["anchor"] is not None, f"cell: {plan}"
        assert [report.refused for report in played["operator"]] == [()], f"cell: {plan}"
        assert world.repair.swaps == [], f"cell: {plan}"
        assert_guarantees(world, [], before=[1, 2, 3, 4, 5])
