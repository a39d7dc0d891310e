# SPDX-License-Identifier: Apache-2.0
"""Two writers on one organisation, switched at every port call, with and without something going wrong.

All single preemptions (one runs to its p-th call, the other to its end, the first goes on) with a fault at each call
of either, and all double ones (each is interrupted once) without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import pytest

from tests.fakes.chains import ORG
from tests.fakes.world import World
from tests.faults.oracle import Client, assert_guarantees
from tests.faults.stage import Plan, Stage
from tests.faults.wire import Fault, Wire

NUMBERS: dict[str, tuple[int, ...]] = {"a": (1,), "b": (11,)}
BATCHES: dict[str, tuple[int, ...]] = {"a": (1, 2, 3), "b": (11, 12)}


@dataclass(frozen=True)
class Duel:
    """Two clients, each with an environment of its own."""

    numbers: dict[str, tuple[int, ...]]
    keys: dict[str, str | None]
    warm: bool

    def fight(self, plan: Plan, faults: dict[str, Fault] | None = None) -> tuple[World, dict[str, Wire]]:
        """Play the plan, let both clients get their answers, and hold all of it against the guarantees."""
        world, stage = World(), Stage()
        wires = {name: Wire(gate=stage.gate(name)) for name in self.numbers}
        processes = {name: world.appender(wire) for name, wire in wires.items()}
        before: list[int] = []
        if self.warm:
            for number, name in enumerate(processes, start=900):
                processes[name].append(world.submission(number))
                before.append(number)
        clients = {
            name: Client(world, world.submission(*numbers, key=self.keys[name]))
            for name, numbers in self.numbers.items()
        }
        for name, wire in wires.items():
            wire.calls.clear()
            wire.fault = (faults or {}).get(name)

        def live(name: str) -> Callable[[], None]:
            return lambda: clients[name].insist(wires[name], processes[name])

        stage.play({name: live(name) for name in clients}, plan)
        assert_guarantees(world, list(clients.values()), before=before)
        return world, wires


DUELS = {
    "single": Duel(NUMBERS, {"a": None, "b": None}, warm=False),
    "single-warm": Duel(NUMBERS, {"a": None, "b": None}, warm=True),
    "keyed": Duel(NUMBERS, {"a": "ka", "b": "kb"}, warm=False),
    "keyed-warm": Duel(NUMBERS, {"a": "ka", "b": "kb"}, warm=True),
    "batch": Duel(BATCHES, {"a": None, "b": None}, warm=True),
    "batch-keyed": Duel(BATCHES, {"a": "ka", "b": "kb"}, warm=True),
    # One request, sent twice at the same time: a client that did not wait for its answer.
    "same-key": Duel({"a": (1,), "b": (1,)}, {"a": "k", "b": "k"}, warm=False),
    "same-key-batch": Duel({"a": (1, 2), "b": (1, 2)}, {"a": "k", "b": "k"}, warm=False),
}


def most_calls(duel: Duel) -> int:
    """Calls of the busier writer when it loses a race."""
    seen = [duel.fight([("a", at)])[1] for at in range(8)]
    return max(len(wire.calls) for wires in seen for wire in wires.values())


@pytest.mark.parametrize("name", DUELS)
def test_every_double_preemption(name: str) -> None:
    duel = DUELS[name]
    calls = most_calls(duel)
    lost = replayed = 0.0
    for first, second in product(range(calls + 1), repeat=2):
        for plan in ([("a", first), ("b", second)], [("b", first), ("a", second)]):
            world, _ = fight(duel, plan, None)
            lost += world.telemetry.counts.get("LostRaces", 0)
            replayed += world.journal.head(ORG).sequence == len(duel.numbers["a"])
    # Two requests race for the head; one request sent twice meets its own key first.
    assert (lost > 0) != (replayed > 0), "nobody was ever in anybody's way: the plans do not interleave"


@pytest.mark.parametrize("how", ["error", "kill"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", DUELS)
def test_every_single_preemption_with_every_fault(name: str, when: str, how: str) -> None:
    duel = DUELS[name]
    calls = most_calls(duel)
    for preempted, at in product(range(calls + 1), range(1, calls + 1)):
        for victim in duel.numbers:
            fault = Fault(at, "before" if when == "before" else "after", "kill" if how == "kill" else "error")
            fight(duel, [("a", preempted), ("b", None)], {victim: fault})


def fight(duel: Duel, plan: Plan, faults: dict[str, Fault] | None) -> tuple[World, dict[str, Wire]]:
    try:
        return duel.fight(plan, faults)
    except AssertionError as error:
        error.add_note(f"cell: {plan}, {faults}")
        raise
