# SPDX-License-Identifier: Apache-2.0
"""A run dies, the signing key is rotated, and the next run meets what was signed before: it is the same tree."""

from __future__ import annotations

import pytest

from indelible.domain.ledger import leaf_data, ledger_proof_path
from indelible.domain.proof import parse_tlog_proof
from indelible.services.log import LEDGER
from tests.fakes.chains import ORG
from tests.fakes.world import World
from tests.faults.leftovers import run, world_with_leftovers
from tests.faults.oracle import assert_guarantees
from tests.faults.test_ledger_log_faults import FEW, waiting_world
from tests.faults.test_ledger_log_faults import run as run_ledger
from tests.faults.wire import WHENS, Fault, Wire


def rotated(world: World) -> None:
    """A second later, the next generation signs."""
    world.clock.advance(1_000)
    world.rotate()


@pytest.mark.parametrize("when", WHENS)
def test_an_anchor_that_died_is_finished_under_the_next_key(when: str) -> None:
    wire = Wire()
    run(world_with_leftovers(), wire)
    for at, name in enumerate(wire.calls, start=1):
        world = world_with_leftovers()
        run(world, Wire(Fault(at, when, "kill")))  # type: ignore[arg-type]
        rotated(world)
        try:
            assert_guarantees(world, [], before=[1, 2, 3, 4, 5])
            run_ledger(world)
            (leaf,) = world.ledger_register.leaves
            assert leaf.sha256 == leaf_data(world.log().opened(ORG, 5).note).hex(), (
                "what was handed on is what is there"
            )
        except AssertionError as error:
            error.add_note(f"cell: {name} (call {at}), {when}")
            raise


@pytest.mark.parametrize("when", WHENS)
def test_a_run_on_the_ledgers_log_that_died_is_finished_under_the_next_key(when: str) -> None:
    wire = Wire()
    run_ledger(waiting_world(FEW), wire)
    for at, name in enumerate(wire.calls, start=1):
        world = waiting_world(FEW)
        run_ledger(world, Wire(Fault(at, when, "kill")))  # type: ignore[arg-type]
        rotated(world)
        try:
            report = run_ledger(world)
            assert report is not None
            assert report.tree_size == len(FEW)
            log = world.log()
            published = log.opened(LEDGER, len(FEW)).note
            for org_id, size in FEW:
                stored = world.bucket.versions(f"{org_id}/_log/{ledger_proof_path(size)}")
                proof = parse_tlog_proof(stored[0].data)
                assert proof.checkpoint == published
                log.verify(LEDGER, proof, leaf_data(log.opened(org_id, size).note))
        except AssertionError as error:
            error.add_note(f"cell: {name} (call {at}), {when}")
            raise
