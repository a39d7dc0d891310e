# SPDX-License-Identifier: Apache-2.0
"""The ledger's own log after a loss: it goes on from what is published, and nobody's checkpoint is left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indelible.domain.findings import FailureCode
from indelible.errors import HeadRegressed
from indelible.ports import EMPTY_LEDGER
from indelible.services.log import LEDGER
from indelible.services.rebuild import Accepted, Rebuilt
from tests.fakes.chains import ORG
from tests.fakes.world import World
from tests.faults.wire import Fault, Killed, Wire

OTHER = "globex"


@pytest.fixture
def world() -> World:
    return unlogged()


def unlogged() -> World:
    """Two organisations: three checkpoints, the first two of them in the ledger's log."""
    made = World()
    for org_id in (ORG, OTHER):
        made.record(1, 2, org_id=org_id)
        made.anchored(org_id=org_id)
    made.logged()
    made.record(3)
    made.anchored()
    return made


def die(world: World, at: str, which: int) -> None:
    """Let the ledger's log die after the `which`th call of this method."""
    wire = Wire()
    unlogged().ledger_log(wire).run(deadline_ms=world.clock.now)
    call = [number for number, name in enumerate(wire.calls, start=1) if name == at][which]
    with pytest.raises(Killed):
        world.ledger_log(Wire(Fault(call, "after", "kill"))).run(deadline_ms=world.clock.now + 60_000)
    assert world.ledger_register.read().batch


def rebuild(world: World, *accepted: Accepted, apply: bool = True) -> Rebuilt:
    return next(r for r in world.rebuilder().run(apply=apply, accepted=accepted) if r.org_id == LEDGER)


def assert_all_logged(world: World, *, size: int) -> None:
    for org_id in (ORG, OTHER):
        world.record(9, org_id=org_id)
        world.anchored(org_id=org_id)
    assert world.logged().tree_size == size
    log = world.log()
    assert log.edge(LEDGER, size).size == size
    for org_id in (ORG, OTHER):
        proven = {
            int(key[-23:-11]) for key in world.bucket.keys(f"{org_id}/_log/ledger/") if key.endswith(".tlog-proof")
        }
        assert proven == set(log.sizes(org_id, at_least=1))
    assert not rebuild(world, apply=False).changes


def test_a_lost_register_comes_back_with_everything_that_has_no_proof(world: World) -> None:
    state = world.ledger_register.read()
    world.lose_table()
    with pytest.raises(HeadRegressed):
        world.logged()
    reports = {report.org_id: report for report in world.rebuilder().run(apply=True)}
    assert reports[LEDGER].records == 2
    assert [(c.item, c.found, c.wanted) for c in reports[LEDGER].changes] == [("ledger log", "nothing", "2 published")]
    assert world.ledger_register.read() == state
    assert sorted(world.ledger_outbox.entries) == [(ORG, 3)]
    assert all(report.settled for report in reports.values())
    assert_all_logged(world, size=5)


def test_a_register_from_a_backup_goes_forward(world: World) -> None:
    backup = world.ledger_register.read()
    world.logged()
    world.ledger_register.state = backup
    assert [change.wanted for change in rebuild(world).changes] == ["3 published"]
    assert_all_logged(world, size=5)


@pytest.mark.parametrize("at", ["files.write", "signer.sign", "files.latest"])
def test_what_the_register_has_fixed_is_left_to_the_ledger_s_log(world: World, at: str) -> None:
    """Staged, signed, or published and the register not told: the batch is needed for the proofs."""
    die(world, at, 0)
    assert rebuild(world).changes == ()
    assert_all_logged(world, size=5)


def test_what_was_fixed_and_not_published_is_taken_anew(world: World) -> None:
    die(world, "files.write", 0)
    world.lose_table()
    world.rebuilder().run(apply=True)
    assert_all_logged(world, size=5)


def test_a_ledger_from_before_it_had_a_log_hands_on_what_is_published() -> None:
    world = World()
    for org_id in (ORG, OTHER):
        world.record(1, org_id=org_id)
        world.anchored(org_id=org_id)
    world.ledger_outbox.entries.clear()
    reports = world.rebuilder().run(apply=True)
    assert LEDGER not in {report.org_id for report in reports}
    assert_all_logged(world, size=4)


def test_a_register_beyond_the_bucket_is_refused(world: World) -> None:
    state = world.ledger_register.read()
    world.ledger_register.state = replace(state, published=9, tree_size=9)
    assert [(f.code, f.sequence) for f in rebuild(world).refused] == [(FailureCode.CHECKPOINT_MISMATCH, 9)]
    assert rebuild(world, Accepted(FailureCode.CHECKPOINT_MISMATCH)).settled
    assert_all_logged(world, size=5)


def test_a_junk_checkpoint_of_the_ledger_is_named(world: World) -> None:
    world.administrator.insert("_ledger/_log/checkpoints/000000000007", b"junk", None)
    world.ledger_register.state = EMPTY_LEDGER
    assert [(f.code, f.sequence) for f in rebuild(world).refused] == [(FailureCode.BAD_SIGNATURE, 7)]
    assert rebuild(world, Accepted(FailureCode.BAD_SIGNATURE, 7)).settled
    assert world.ledger_register.read().published == 2


def test_the_ledger_s_log_alone(world: World) -> None:
    world.ledger_register.state = EMPTY_LEDGER
    (report,) = world.rebuilder().run(LEDGER, apply=True)
    assert (report.org_id, report.settled) == (LEDGER, True)
