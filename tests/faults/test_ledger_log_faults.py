# SPDX-License-Identifier: Apache-2.0
"""A run on the ledger's own log dies at every moment, and two run at once: one root for one size, nothing left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import pairwise, product

import pytest

from indelible.domain import merkle, tiles
from indelible.domain.ledger import leaf_data, ledger_proof_path
from indelible.domain.note import parse_note
from indelible.domain.proof import parse_tlog_proof, verify_tlog_proof
from indelible.errors import LedgerError
from indelible.services import ledger_log as ledger_logs
from indelible.services.ledger_log import LedgerReport
from indelible.services.log import LEDGER
from tests.fakes.log import LEDGER_NAME
from tests.fakes.rfc6962 import root_of_leaves
from tests.fakes.world import World
from tests.faults.cells import cells
from tests.faults.leftovers import run as run_anchor
from tests.faults.leftovers import world_with_leftovers
from tests.faults.stage import Stage
from tests.faults.wire import HOWS, SEVERAL, WHENS, Fault, Killed, Wire

ORGS = ("acme-corp", "globex", "initech")
FEW = [("acme-corp", 2), ("acme-corp", 3), ("globex", 1)]
MANY = [*FEW, ("initech", 1), ("initech", 2)]


def waiting_world(expected: Sequence[tuple[str, int]] = MANY) -> World:
    """These checkpoints are published, and none of them is in the ledger's log."""
    world = World()
    for org_id, size in expected:
        world.record(*range(world.register.read(org_id).tree_size + 1, size + 1), org_id=org_id)
        world.anchored(org_id=org_id)
    assert sorted(world.ledger_outbox.entries) == expected
    return world


def run(world: World, wire: Wire | None = None) -> LedgerReport | None:
    try:
        return world.ledger_log(wire).run(deadline_ms=world.clock.now + 60_000)
    except (LedgerError, Killed):
        return None


def assert_ledger(world: World, expected: Sequence[tuple[str, int]] = MANY, *, foreign: Collection[int] = ()) -> None:
    """G5, from outside: every published checkpoint of every organisation is in it, once, and has its proof.

    The files of the ledger's `foreign` sizes are somebody else's.
    """
    assert run(world) is not None
    assert world.ledger_outbox.entries == {}
    log, key = world.log(), world.signer.public_key()
    notes = {
        (org_id, size): parse_note(world.bucket.versions(f"{org_id}/_log/checkpoints/{size:012d}")[0].data)
        for org_id in ORGS
        for size in log.sizes(org_id, at_least=1)
    }
    assert sorted(notes) == expected
    state, leaves = world.ledger_register.read(), [leaf.data for leaf in world.ledger_register.leaves]
    assert (state.batch, state.published, state.tree_size) == ((), len(leaves), len(leaves))
    assert sorted(leaves) == sorted(leaf_data(note) for note in notes.values()), "each is a leaf, and each once"

    sizes = [size for size in log.sizes(LEDGER, at_least=1) if size not in foreign]
    roots = {size: log.opened(LEDGER, size).checkpoint.root for size in sizes}
    assert sizes[-1] == len(leaves)
    for size, root in roots.items():
        assert root == root_of_leaves(leaves[:size])
        built = {f"_ledger/_log/{file.path}": file.data for file in tiles.grow(tiles.EMPTY, leaves[:size])[1]}
        assert all(world.bucket.versions(name)[0].data == data for name, data in built.items())
    for old, new in pairwise(sizes):
        merkle.verify_consistency(old, new, roots[old], roots[new], log.consistency(LEDGER, old, new))
    latest = log.latest(LEDGER)
    assert latest is not None
    assert latest.size == len(leaves)
    signed = {size: root for (origin, size), root in world.signer.roots.items() if origin == LEDGER_NAME}
    assert signed == roots, "what was signed is published"
    for (org_id, size), note in notes.items():
        stored = world.bucket.versions(f"{org_id}/_log/{ledger_proof_path(size)}")
        assert len(stored) == 1
        verify_tlog_proof(parse_tlog_proof(stored[0].data), leaf_data(note), origin=LEDGER_NAME, public_keys=[key])


@pytest.mark.parametrize("batch_size", [1000, 2], ids=["one-batch", "batches-of-two"])
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("when", [*WHENS, "amid"])
def test_every_call_fails_in_every_way(when: str, how: str, batch_size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_logs, "BATCH_SIZE", batch_size)
    honest, wire = waiting_world(), Wire()
    report = run(honest, wire)
    assert report is not None
    assert (report.leaves, report.passes, report.tree_size) == (5, 1 if batch_size == 1000 else 3, 5)
    assert {
        "ledger_register.read",
        "ledger_register.advance",
        "ledger_outbox.waiting",
        "ledger_outbox.clear",
        "files.read",
        "files.write",
        "files.latest",
        "signer.sign",
    } <= set(wire.calls)
    assert_ledger(honest)

    for at, name in enumerate(wire.calls, start=1):
        if when == "amid" and name not in SEVERAL:
            continue
        world = waiting_world()
        # One fault, then a second run with a fault in the same place, then one without.
        run(world, Wire(Fault(at, when, how)))  # type: ignore[arg-type]
        run(world, Wire(Fault(at, when, how)))  # type: ignore[arg-type]
        try:
            assert_ledger(world)
        except AssertionError as error:
            error.add_note(f"cell: {name} (call {at}), {when}, {how}")
            raise


@pytest.mark.parametrize("how", ["error", "kill"])
@pytest.mark.parametrize("when", WHENS)
def test_what_waits_meanwhile_changes_nothing_of_what_was_fixed(when: str, how: str) -> None:
    """The next run finds other leaves in the outbox: those that were fixed come first, as they were."""
    wire = Wire()
    run(waiting_world(), wire)
    for at in range(1, len(wire.calls) + 1):
        world = waiting_world()
        late = [world.ledger_outbox.entries.pop(name) for name in MANY[:1]]
        run(world, Wire(Fault(at, when, how)))  # type: ignore[arg-type]
        for leaf in late:
            world.ledger_outbox.put(leaf)
        assert_ledger(world)


@pytest.mark.parametrize("batch_size", [1000, 2], ids=["one-batch", "batches-of-two"])
def test_two_runs_at_once_at_every_step(batch_size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_logs, "BATCH_SIZE", batch_size)
    wire = Wire()
    run(waiting_world(FEW), wire)
    for first, second in cells(range(len(wire.calls) + 1), range(len(wire.calls) + 1)):
        world, stage = waiting_world(FEW), Stage()

        def live(name: str, world: World = world, stage: Stage = stage) -> Callable[[], LedgerReport | None]:
            return lambda: run(world, Wire(gate=stage.gate(name)))

        reports = stage.play({name: live(name) for name in "ab"}, [("a", first), ("b", second)])

        assert all(report is not None for report in reports.values()), f"cell: {first}, {second}"
        assert sum(report.leaves for report in reports.values()) == 3, "a leaf was counted twice, or not at all"
        assert_ledger(world, FEW)


def test_a_run_that_fails_beside_one_that_does_not() -> None:
    wire = Wire()
    run(waiting_world(FEW), wire)
    steps = len(wire.calls)
    for (first, at), when in product(cells(range(1, steps), range(2, steps + 1), every=3), WHENS):
        if at <= first:
            continue
        world, stage = waiting_world(FEW), Stage()
        failing = Wire(Fault(at, when, "kill"), gate=stage.gate("a"))
        both: dict[str, Callable[[], object]] = {
            "a": lambda world=world, failing=failing: run(world, failing),  # type: ignore[misc]
            "b": lambda world=world, stage=stage: run(world, Wire(gate=stage.gate("b"))),  # type: ignore[misc]
        }
        stage.play(both, [("a", first), ("b", None)])
        assert_ledger(world, FEW)


def test_an_anchor_that_dies_at_any_call_leaves_no_checkpoint_out() -> None:
    """What is published waits for the ledger's log before the register says that it is published."""
    wire = Wire()
    run_anchor(world_with_leftovers(), wire)
    assert "ledger_outbox.put" in wire.calls
    for at, when, between in product(range(1, len(wire.calls) + 1), WHENS, (False, True)):
        world = world_with_leftovers()
        run_anchor(world, Wire(Fault(at, when, "kill")))
        if between:
            assert run(world) is not None
        run_anchor(world)
        assert run(world) is not None

        (leaf,) = {leaf.sha256 for leaf in world.ledger_register.leaves}
        assert leaf == leaf_data(world.log().opened("acme-corp", 5).note).hex()
        assert len(world.ledger_register.leaves) == 1, "handed on twice, and taken once"
