# SPDX-License-Identifier: Apache-2.0
"""The crash matrix of the write protocol.

Every port call that recording makes × failed before it took effect, or after × answered with an error, an outage that
lasts, or death × one record, a batch, a batch of two transactions × with an idempotency key, or without × a cold
environment, or a warm one × what runs at the same time ends in this order, or in that. In every cell the client then
does what the documentation says, the anchor runs, and G1 to G3 must hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pytest

from indelible.services import append
from tests.fakes.machine import SequentialWorkers
from tests.fakes.world import World
from tests.faults.oracle import Client, assert_guarantees
from tests.faults.wire import HOWS, WHENS, Fault, Wire

BEFORE = [901, 902]


@dataclass(frozen=True)
class Shape:
    """What is sent, and to whom."""

    numbers: tuple[int, ...]
    key: str | None
    warm: bool
    backwards: bool
    chain: bool
    """Whether there are records already."""


@dataclass(frozen=True)
class Cell:
    """One run."""

    world: World
    wire: Wire
    client: Client


def run(shape: Shape, fault: Fault | None) -> Cell:
    world = World()
    if shape.chain:
        world.record(*BEFORE)
    workers = SequentialWorkers(backwards=shape.backwards)
    wire = Wire()
    process = world.appender(wire, workers=workers)
    if shape.warm:
        process.append(world.submission(900))
        world.clock.advance(61_000)  # so that news is due again
    wire.calls.clear()
    wire.fault = fault
    client = Client(world, world.submission(*shape.numbers, key=shape.key))
    client.insist(wire, process, workers=workers)
    return Cell(world, wire, client)


def shapes() -> list[Shape]:
    sizes = [(1,), (1, 2, 3)]
    return [Shape(*parts) for parts in product(sizes, (None, "key"), (False, True), (False, True), (False, True))]


def describe(shape: Shape) -> str:
    words = [f"{len(shape.numbers)}", "key" if shape.key else "nokey", "warm" if shape.warm else "cold"]
    return "-".join([*words, "backwards" if shape.backwards else "forwards", "chain" if shape.chain else "empty"])


@pytest.mark.parametrize("transaction", [97, 2], ids=["one-commit", "split"])
@pytest.mark.parametrize("shape", shapes(), ids=describe)
def test_every_call_fails_once_in_every_way(shape: Shape, transaction: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(append, "MAX_RECORDS_PER_COMMIT", transaction)
    before = [*(BEFORE if shape.chain else []), *([900] if shape.warm else [])]
    honest = run(shape, None)
    assert honest.client.answers
    assert_guarantees(honest.world, [honest.client], before=before)
    calls = list(honest.wire.calls)
    assert {"journal.commit", "records.seal", "index.put", "news.mark"} <= set(calls)

    for at, when, how in product(range(1, len(calls) + 1), WHENS, HOWS):
        cell = run(shape, Fault(at, when, how))
        try:
            assert_guarantees(cell.world, [cell.client], before=before)
        except AssertionError as error:
            error.add_note(f"cell: {calls[at - 1]} (call {at}), {when}, {how}")
            raise


@pytest.mark.parametrize("when", WHENS)
def test_a_lost_answer_to_the_commit_costs_no_error(when: str) -> None:
    """The same records again: they commit now, or meet themselves as the head."""
    for key in (None, "key"):
        shape = Shape((1,), key, warm=True, backwards=False, chain=False)
        cell = run(shape, Fault(1, "before" if when == "before" else "after", "error"))

        assert cell.client.errors == []
        assert cell.wire.calls[:2] == ["journal.commit", "journal.commit"]
        assert_guarantees(cell.world, [cell.client], before=[900])


def test_a_seal_that_failed_names_what_was_committed_and_the_key_gives_its_receipt() -> None:
    world = World()
    wire = Wire(fault=Fault(4, "before", "error"))
    process = world.appender(wire)
    client = Client(world, world.submission(1, key="key"))

    client.ask(process)
    assert wire.calls[3] == "records.seal"
    named = client.errors[0]
    assert world.waiting() == [1]
    wire.cut()
    client.ask(process)

    assert [receipt.audit_id for receipt in client.answers[0]] == [getattr(named, "audit_id", None)]
    assert_guarantees(world, [client])


def test_lost_hints_cost_nothing_but_are_announced() -> None:
    for at in (5, 6):
        world = World()
        client = Client(world, world.submission(1))
        wire = Wire(fault=Fault(at, "before", "error"))
        client.ask(world.appender(wire))

        assert client.errors == []
        assert wire.calls[at - 1] in ("index.put", "news.mark")
        assert [message for message, _ in world.telemetry.notes] == ["a hint was not written"]
        assert_guarantees(world, [client])
