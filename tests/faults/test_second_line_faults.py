# SPDX-License-Identifier: Apache-2.0
"""A run dies and the next one makes another ML-DSA signature: what was published first is what goes on."""

from __future__ import annotations

import pytest

from indelible.domain import note
from indelible.domain.ledger import leaf_data, ledger_proof_path
from indelible.domain.note import ML_DSA_44, VerifierKey
from indelible.domain.proof import parse_tlog_proof
from indelible.services.log import LATEST, LEDGER
from tests.fakes.chains import ORG
from tests.fakes.second import FakeSecondSigner
from tests.fakes.world import World
from tests.faults.leftovers import run, world_with_leftovers
from tests.faults.oracle import assert_guarantees
from tests.faults.test_ledger_log_faults import FEW, waiting_world
from tests.faults.test_ledger_log_faults import run as run_ledger
from tests.faults.wire import WHENS, Fault, When, Wire


def with_second(world: World) -> World:
    world.second = FakeSecondSigner()
    return world


def assert_signed_twice(world: World, owner: str, size: int) -> None:
    """Both keys signed, and the latest checkpoint is the same note."""
    assert world.second is not None
    log = world.log()
    published = log.opened(owner, size).note
    assert len(published.signatures) == 2
    assert note.verify(published, [VerifierKey(log.origin(owner), world.second.public_key(), ML_DSA_44)])
    assert world.bucket.versions(f"{owner}/_log/{LATEST}")[-1].data == published.data


@pytest.mark.parametrize("when", WHENS)
def test_an_anchor_that_died_is_finished_with_the_lines_that_were_published(when: When) -> None:
    wire = Wire()
    run(with_second(world_with_leftovers()), wire)
    assert "second.sign" in wire.calls
    for at, name in enumerate(wire.calls, start=1):
        world = with_second(world_with_leftovers())
        run(world, Wire(Fault(at, when, "kill")))
        try:
            assert_guarantees(world, [], before=[1, 2, 3, 4, 5])
            assert_signed_twice(world, ORG, 5)
            run_ledger(world)
            (leaf,) = world.ledger_register.leaves
            assert leaf.sha256 == leaf_data(world.log().opened(ORG, 5).note).hex()
        except AssertionError as error:
            error.add_note(f"cell: {name} (call {at}), {when}")
            raise


@pytest.mark.parametrize("when", WHENS)
def test_a_run_on_the_ledgers_log_that_died_is_finished_so_too(when: When) -> None:
    wire = Wire()
    run_ledger(with_second(waiting_world(FEW)), wire)
    for at, name in enumerate(wire.calls, start=1):
        world = with_second(waiting_world(FEW))
        run_ledger(world, Wire(Fault(at, when, "kill")))
        try:
            run_ledger(world)
            assert_signed_twice(world, LEDGER, len(FEW))
            log = world.log()
            for org_id, size in FEW:
                stored = world.bucket.versions(f"{org_id}/_log/{ledger_proof_path(size)}")
                proof = parse_tlog_proof(stored[0].data)
                assert proof.checkpoint == log.opened(LEDGER, len(FEW)).note
                log.verify(LEDGER, proof, leaf_data(log.opened(org_id, size).note))
        except AssertionError as error:
            error.add_note(f"cell: {name} (call {at}), {when}")
            raise
