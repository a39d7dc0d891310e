# SPDX-License-Identifier: Apache-2.0
"""Two anchors on one organisation, switched at every port call: one root for one size, and nothing left undone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from indelible.services import anchor as anchors
from tests.fakes.world import World
from tests.faults.cells import cells
from tests.faults.leftovers import run, world_with_leftovers
from tests.faults.oracle import assert_guarantees
from tests.faults.stage import Stage
from tests.faults.wire import WHENS, Fault, Wire


@pytest.mark.parametrize("pass_size", [1000, 2], ids=["one-pass", "passes-of-two"])
def test_two_anchors_at_once_at_every_step(pass_size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "PASS_SIZE", pass_size)
    wire = Wire()
    run(world_with_leftovers(), wire)
    for first, second in cells(range(len(wire.calls) + 1), range(len(wire.calls) + 1)):
        world, stage = world_with_leftovers(), Stage()

        def live(name: str, world: World = world, stage: Stage = stage) -> Callable[[], object]:
            return lambda: run(world, Wire(gate=stage.gate(name)))

        reports = stage.play({name: live(name) for name in "ab"}, [("a", first), ("b", second)])

        assert all(report is not None for report in reports.values()), f"cell: {first}, {second}"
        assert sum(report.records for report in reports.values()) == 5, "a record was counted twice, or not at all"
        assert world.waiting() == []
        assert_guarantees(world, [], before=[1, 2, 3, 4, 5])


@pytest.mark.parametrize("how", ["error", "kill"])
@pytest.mark.parametrize("when", WHENS)
def test_an_anchor_that_fails_beside_one_that_does_not(when: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One stops at every call, the other runs to its end, the first goes on, and fails at every later call."""
    monkeypatch.setattr(anchors, "PASS_SIZE", 2)
    wire = Wire()
    run(world_with_leftovers(), wire)
    for first, at in cells(range(1, len(wire.calls)), range(1, len(wire.calls) + 1)):
        if at <= first:
            continue
        world, stage = world_with_leftovers(), Stage()
        failing = Wire(Fault(at, when, how), gate=stage.gate("a"))  # type: ignore[arg-type]
        both: dict[str, Callable[[], object]] = {
            "a": lambda world=world, failing=failing: run(world, failing),  # type: ignore[misc]
            "b": lambda world=world, stage=stage: run(world, Wire(gate=stage.gate("b"))),  # type: ignore[misc]
        }

        reports = stage.play(both, [("a", first), ("b", None)])

        assert reports["b"] is not None, f"cell: {first}, {at}"
        assert_guarantees(world, [], before=[1, 2, 3, 4, 5])


def test_records_come_between_the_passes_of_two_anchors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each then has another head in mind: the sizes that they would fix differ."""
    monkeypatch.setattr(anchors, "PASS_SIZE", 3)
    wire = Wire()
    run(world_with_leftovers(), wire)
    for first, second in cells(range(len(wire.calls) + 1), range(len(wire.calls) + 1)):
        world, stage = world_with_leftovers(), Stage()

        def late(world: World = world, stage: Stage = stage) -> object:
            world.record(6, 7)
            return run(world, Wire(gate=stage.gate("b")))

        def early(world: World = world, stage: Stage = stage) -> object:
            return run(world, Wire(gate=stage.gate("a")))

        reports = stage.play({"a": early, "b": late}, [("a", first), ("b", second)])

        assert all(report is not None for report in reports.values()), f"cell: {first}, {second}"
        assert_guarantees(world, [], before=[1, 2, 3, 4, 5, 6, 7])
