# SPDX-License-Identifier: Apache-2.0
"""Somebody past the bucket policy writes files under the names of checkpoints to come: announced, and gone around."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indelible.domain.findings import FailureCode
from indelible.errors import EvidenceBroken, HeadRegressed
from indelible.services import anchor as anchors
from indelible.services import ledger_log as ledger_logs
from indelible.services.log import LEDGER, MOST_FOREIGN, checkpoint_path
from indelible.services.rebuild import Accepted
from tests.fakes.chains import ORG
from tests.fakes.log import LEDGER_NAME
from tests.fakes.world import World
from tests.faults.leftovers import run
from tests.faults.test_ledger_log_faults import FEW, assert_ledger, waiting_world
from tests.faults.test_ledger_log_faults import run as run_ledger
from tests.faults.wire import HOWS, WHENS, Fault, Wire


def junk(world: World, *sizes: int, data: bytes = b"junk") -> None:
    for size in sizes:
        world.administrator.insert(f"{ORG}/_log/{checkpoint_path(size)}", data, None)


def found(world: World) -> list[tuple[FailureCode, int | None]]:
    return [(failure.code, failure.sequence) for failure in world.verify().failures]


def signed_sizes(world: World) -> list[int]:
    return sorted(size for origin, size in world.signer.roots if origin.endswith(ORG))


def forged(world: World, size: int) -> bytes:
    """A note of the right log and size, whose signature is another's."""
    text, _, lines = world.log().opened(ORG, size).note.data.partition(b"\n\n")
    return text.replace(b"\n%d\n" % size, b"\n%d\n" % (size + 7)) + b"\n\n" + lines


@pytest.mark.parametrize("size", [4, 5, 900, 999_999_999_999])
def test_a_file_in_the_way_of_nothing_stops_nothing(size: int) -> None:
    world = World()
    world.record(1, 2, 3)
    world.anchored()
    junk(world, size, data=forged(world, 3))
    world.record(4, 5, 6)

    assert world.anchored().tree_size == 6
    assert world.waiting() == []
    assert world.telemetry.counts["ForeignFiles"] == 1
    assert found(world) == [(FailureCode.BAD_SIGNATURE, size)]


def test_a_file_in_the_very_place_moves_the_checkpoint_and_no_more() -> None:
    world = World()
    sample = World()
    sample.record(1, 2, 3)
    sample.anchored()
    junk(world, 3, data=sample.log().opened(ORG, 3).note.data.replace(b"\n\n", b"\nsigned by nobody\n\n"))
    world.record(1, 2, 3)

    report = world.anchored()
    assert (report.tree_size, signed_sizes(world)) == (2, [2])
    assert report.behind_ms >= 0
    assert world.waiting() == [3], "not covered, and not forgotten"
    world.record(4)

    assert world.anchored().tree_size == 4
    assert signed_sizes(world) == [2, 4]
    assert world.waiting() == []
    assert world.telemetry.counts["ForeignFiles"] == 2, "once more while it lies ahead"
    assert found(world) == [(FailureCode.BAD_SIGNATURE, 3)]
    for entry in world.sealed():
        proof = world.prover().prove(ORG, audit_id=entry.audit_id)
        assert proof.checkpoint is not None
        assert proof.checkpoint.size == (2 if entry.sequence <= 2 else 4)
    world.record(5)
    assert world.anchored().tree_size == 5


def test_the_only_place_taken_waits_for_the_next_record() -> None:
    world = World()
    junk(world, 1)
    world.record(1)

    assert world.anchored().tree_size == 0
    assert world.waiting() == [1]
    world.record(2)
    assert world.anchored().tree_size == 2


def test_a_place_taken_after_its_root_was_fixed() -> None:
    """Between the swap and the publishing: the fixed root is never published, and the next one contains it."""
    world, wire = World(), Wire()
    world.record(1, 2)
    run(world, wire)
    at = wire.calls.index("register.advance") + 1
    world = World()
    world.record(1, 2)
    assert run(world, Wire(Fault(at, "after", "kill"))) is None
    assert world.register.read(ORG).tail.sequence == 2
    junk(world, 2)

    assert world.anchored().tree_size == 0
    world.record(3)
    assert world.anchored().tree_size == 3
    assert signed_sizes(world) == [3]
    assert found(world) == [(FailureCode.CHECKPOINT_MISMATCH, 2)]


def test_a_place_taken_in_the_middle_of_a_run_stops_that_run_only() -> None:
    world = World()
    world.record(1, 2)
    write = world.files.write

    def beaten(owner: str, files: object, *, retain_until_ms: int) -> None:
        if any(file.path == checkpoint_path(2) for file in files):  # type: ignore[attr-defined]
            junk(world, 2)
        write(owner, files, retain_until_ms=retain_until_ms)  # type: ignore[arg-type]

    world.files.write = beaten  # type: ignore[method-assign]
    with pytest.raises(EvidenceBroken):
        world.anchored()
    world.record(3)

    assert world.anchored().tree_size == 3


def test_what_was_fixed_and_taken_must_be_contained_in_what_goes_beyond() -> None:
    world, wire = World(), Wire()
    world.record(1, 2)
    run(world, wire)
    at = wire.calls.index("register.advance") + 1
    world = World()
    world.record(1, 2)
    run(world, Wire(Fault(at, "after", "kill")))
    junk(world, 2)
    world.record(3)
    state = world.register.states[ORG]
    world.register.states[ORG] = type(state)(state.tail, "5e" * 32, state.published, state.cleared)

    with pytest.raises(EvidenceBroken):
        world.anchored()
    assert signed_sizes(world) == []


def test_a_signed_checkpoint_ahead_is_still_a_table_from_the_past() -> None:
    world = World()
    world.record(1, 2)
    world.anchored()
    past = world.register.states[ORG]
    world.record(3)
    world.anchored()
    world.register.states[ORG] = past
    junk(world, 5)

    with pytest.raises(HeadRegressed):
        world.anchored()


def test_more_files_than_anybody_goes_around_stop_the_organisation_and_say_so() -> None:
    world = World()
    world.record(1)
    junk(world, *range(10, 11 + MOST_FOREIGN))

    with pytest.raises(EvidenceBroken):
        world.anchored()
    assert world.verify().complete


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("when", WHENS)
def test_every_call_of_the_way_around_fails_in_every_way(when: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "PASS_SIZE", 2)

    def taken() -> World:
        world = World()
        world.record(1, 2, 3, 4, 5)
        junk(world, 2, 3)
        return world

    honest, wire = taken(), Wire()
    assert run(honest, wire) is not None
    assert signed_sizes(honest) == [1, 4, 5]
    for at, name in enumerate(wire.calls, start=1):
        world = taken()
        run(world, Wire(Fault(at, when, how)))  # type: ignore[arg-type]
        report = run(world)
        assert report is not None, f"{name} {when} {how}"
        assert (report.tree_size, world.waiting()) == (5, []), f"{name} {when} {how}"
        assert {size for _, size in found(world)} == {2, 3}


def fixed_batch() -> World:
    """Three checkpoints wait, their batch is fixed in the register, and the run died there."""
    world, wire = waiting_world(FEW), Wire()
    run_ledger(world, wire)
    at = wire.calls.index("ledger_register.advance") + 1
    world = waiting_world(FEW)
    assert run_ledger(world, Wire(Fault(at, "after", "kill"))) is None
    assert (world.ledger_register.state.tree_size, world.ledger_register.state.published) == (3, 0)
    return world


def ledger_junk(world: World, *sizes: int) -> None:
    for size in sizes:
        world.administrator.insert(f"{LEDGER}/_log/{checkpoint_path(size)}", b"junk", None)


def ledger_sizes(world: World) -> list[int]:
    return sorted(size for origin, size in world.signer.roots if origin == LEDGER_NAME)


def test_the_place_of_a_fixed_batch_is_taken_and_the_ledgers_log_goes_around() -> None:
    world = fixed_batch()
    root = world.ledger_register.state.root
    ledger_junk(world, 3)

    report = world.logged()
    assert (report.tree_size, ledger_sizes(world)) == (0, []), "nothing waits that would make another place"
    assert len(world.ledger_outbox.entries) == 3, "not covered, and not forgotten"
    world.record(9)
    world.anchored()

    assert world.logged().tree_size == 4
    assert (ledger_sizes(world), world.ledger_register.roots[3]) == ([4], root)
    assert world.telemetry.counts["ForeignFiles"] == 2
    assert_ledger(world, sorted([*FEW, (ORG, 4)]), foreign=[3])
    world.record(10)
    world.anchored()
    assert world.logged().tree_size == 5


def test_a_fixed_batch_of_the_most_leaves_grows_beyond_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_logs, "BATCH_SIZE", 3)
    world = fixed_batch()
    ledger_junk(world, 3, 4)
    for _ in range(3):
        world.record(9)
        world.anchored()

    assert world.logged().tree_size == 6
    assert ledger_sizes(world) == [5, 6]


def test_a_fixed_batch_whose_leaves_lead_elsewhere_is_not_gone_around() -> None:
    world = fixed_batch()
    ledger_junk(world, 3)
    world.record(9)
    world.anchored()
    state = world.ledger_register.state
    world.ledger_register.state = replace(state, root="5e" * 32)

    with pytest.raises(EvidenceBroken):
        world.logged()
    assert ledger_sizes(world) == []


def test_a_rebuild_leaves_a_batch_alone_that_the_next_run_goes_around() -> None:
    world = fixed_batch()
    ledger_junk(world, 3)
    refused = [report.refused for report in world.rebuilder().run(LEDGER, apply=True)]
    assert [failure.code for failure in refused[0]] == [FailureCode.BAD_SIGNATURE]
    accepted = world.rebuilder().run(LEDGER, apply=True, accepted=[Accepted(FailureCode.BAD_SIGNATURE)])
    assert accepted[0].settled
    world.record(9)
    world.anchored()
    assert world.logged().tree_size == 4


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("when", WHENS)
def test_every_call_of_the_ledgers_way_around_fails_in_every_way(when: str, how: str) -> None:
    def taken() -> World:
        world = fixed_batch()
        ledger_junk(world, 3)
        world.record(9)
        world.anchored()
        return world

    wire = Wire()
    assert run_ledger(taken(), wire) is not None
    for at, name in enumerate(wire.calls, start=1):
        world = taken()
        run_ledger(world, Wire(Fault(at, when, how)))  # type: ignore[arg-type]
        report = run_ledger(world)
        assert report is not None, f"{name} {when} {how}"
        assert (report.tree_size, ledger_sizes(world)) == (4, [4]), f"{name} {when} {how}"
        assert_ledger(world, sorted([*FEW, (ORG, 4)]), foreign=[3])
