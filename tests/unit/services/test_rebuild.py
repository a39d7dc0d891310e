# SPDX-License-Identifier: Apache-2.0
"""The table follows from the bucket: whatever was lost, set back or edited, the ledger goes on where it was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indelible.domain import record
from indelible.domain.findings import FailureCode
from indelible.errors import HeadRegressed, NotFound
from indelible.ports import LogState
from indelible.services import chain_replay
from indelible.services.rebuild import Accepted, Rebuilt
from tests.fakes.chains import ORG, build_chain
from tests.fakes.machine import MIDNIGHT
from tests.fakes.world import World
from tests.faults.oracle import Client
from tests.faults.wire import Fault, Killed, Wire

TRUNCATED = Accepted(FailureCode.TRUNCATED)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain_replay, "CHUNK", 3)
    monkeypatch.setattr(chain_replay, "_OUTBOX_CHUNK", 2)


@pytest.fixture
def world() -> World:
    """Seven records over two days, five of them under a checkpoint."""
    made = World()
    made.record(1, 2, 3)
    made.clock.advance(86_400_000)
    made.record(4, 5)
    made.anchored()
    made.record(6, 7)
    return made


def leave_unsealed(world: World, *numbers: int) -> None:
    """Committed, and the bucket did not answer."""
    for number in numbers:
        Client(world, world.submission(number)).ask(world.appender(Wire(Fault(4, "before", "outage"))))


def rebuild(world: World, *accepted: Accepted, apply: bool = True) -> Rebuilt:
    return world.rebuilder().run(ORG, apply=apply, accepted=accepted)[0]


def items(report: Rebuilt) -> list[str]:
    return [change.item for change in report.changes]


def assert_goes_on(world: World, *, sequence: int) -> None:
    """Recording, anchoring, verifying and proving, as if nothing had been."""
    receipt = world.record(99)[0]
    assert receipt.sequence == sequence
    assert world.anchored().tree_size == sequence
    verdict = world.verify()
    assert (verdict.valid, verdict.entries_checked) == (True, sequence)
    assert world.waiting() == []
    for entry in world.sealed():
        assert world.prover().prove(ORG, tx_hash=entry.tx_hash).record.audit_id == entry.audit_id
    assert rebuild(world, apply=False).changes[:-1] == ()  # but for the name in the registry


def test_a_table_that_is_right_is_left_alone(world: World) -> None:
    world.record(8)
    leave_unsealed(world, 9)
    report = world.rebuilder().run(apply=True)[0]
    assert (report.records, report.waiting, report.failures) == (8, 1, ())
    assert items(report) == ["registry"]
    assert world.repair.swaps == []


def test_a_dry_run_says_everything_and_writes_nothing(world: World) -> None:
    world.lose_table()
    before = world.journal.snapshot()
    report = rebuild(world, apply=False)
    assert [(change.item, change.found, change.wanted) for change in report.changes[:-1]] == [
        ("index", "0 hashes", "7 hashes"),
        ("days", "0", "2"),
        ("log", "nothing", "5 published, outbox empty to 5"),
        ("ledger outbox", "0 checkpoints wait", "1 checkpoints wait"),
        ("registry", "nothing", ORG),
    ]
    assert report.changes[-1].item == "head"
    assert report.changes[-1].wanted.startswith("record 7 (")
    assert (report.settled, report.applied) == (False, False)
    assert (world.journal.snapshot(), world.index.entries, world.register.states) == (before, {}, {})


def test_a_lost_table_comes_back_and_everything_goes_on(world: World) -> None:
    days = dict(world.journal.days)
    world.lose_table()
    with pytest.raises(HeadRegressed):
        world.record(99)
    report = rebuild(world)
    assert report.settled
    assert world.journal.days == days
    assert world.news.recent(world.clock.now, None, limit=9).names == (ORG,)
    assert_goes_on(world, sequence=8)


def test_a_table_from_a_backup_forgets_nothing_newer(world: World) -> None:
    warm = world.appender()
    warm.append(world.submission(8))
    backup, register = world.journal.snapshot(), dict(world.register.states)
    warm.append(world.submission(9))
    world.record(10)
    world.anchored()
    world.journal.restore(backup)
    world.register.states.update(register)
    with pytest.raises(HeadRegressed):
        warm.append(world.submission(11))
    report = rebuild(world)
    assert items(report) == ["log", "registry", "head"]
    assert world.register.read(ORG).cleared == 5, "what came back with the backup is still to be cleared"
    assert warm.append(world.submission(11))[0].sequence == 11
    assert_goes_on(world, sequence=12)


def test_what_waits_in_the_outbox_is_not_lost(world: World) -> None:
    leave_unsealed(world, 8, 9, 10)
    world.record(11)
    leave_unsealed(world, 12, 13, 14)
    del world.journal.heads[ORG]
    world.register.states.clear()
    report = rebuild(world)
    assert (report.records, report.waiting, report.failures) == (8, 6, ())
    assert world.journal.head(ORG).sequence == 14
    assert_goes_on(world, sequence=15)


def test_a_head_behind_its_own_outbox(world: World) -> None:
    """Nothing in the bucket tells: the commit itself refuses, because the next sequence is taken."""
    before = world.journal.head(ORG)
    leave_unsealed(world, 8)
    world.administrator.set_head(ORG, before)
    with pytest.raises(HeadRegressed):
        world.record(9)
    rebuild(world)
    assert_goes_on(world, sequence=9)


def test_a_head_of_another_history_gives_way_to_the_bucket(world: World) -> None:
    world.administrator.set_head(ORG, build_chain(7, seed=99)[-1].head)
    assert items(rebuild(world)) == ["registry", "head"]
    assert_goes_on(world, sequence=8)


def test_a_register_without_a_root_is_replaced(world: World) -> None:
    world.register.rootless.add(ORG)
    report = rebuild(world)
    assert [(c.found, c.wanted) for c in report.changes if c.item == "log"] == [
        ("no root", "5 published, outbox empty to 5")
    ]
    assert_goes_on(world, sequence=8)


def test_a_register_without_a_root_and_without_a_checkpoint_is_taken_away() -> None:
    world = World()
    world.record(1)
    world.register.states[ORG] = LogState(world.journal.head(ORG), "", world.journal.head(ORG), 0)
    world.register.rootless.add(ORG)
    assert "log" in items(rebuild(world))
    assert ORG not in world.register.states
    assert_goes_on(world, sequence=2)


@pytest.mark.parametrize("field", ["root", "published"])
def test_a_register_that_contradicts_its_checkpoint_is_replaced(world: World, field: str) -> None:
    state = world.register.read(ORG)
    false = {"root": "99" * 32} if field == "root" else {"published": replace(state.published, tx_hash="99" * 32)}
    world.register.states[ORG] = replace(state, **false)
    assert "log" in items(rebuild(world))
    assert_goes_on(world, sequence=8)


def test_a_root_that_is_fixed_and_not_published_is_left_to_the_anchor(world: World) -> None:
    wire = Wire()
    world.anchor(wire).run(ORG, deadline_ms=world.clock.now + 60_000)
    signing = wire.calls.index("signer.sign") + 1
    world.record(8)
    with pytest.raises(Killed):
        world.anchor(Wire(Fault(signing, "before", "kill"))).run(ORG, deadline_ms=world.clock.now + 60_000)
    assert world.register.read(ORG).tail.sequence == 8
    assert items(rebuild(world)) == ["registry"]
    assert_goes_on(world, sequence=9)


# -- what is not repaired without a word ----------------------------------------------------------------


def test_a_broken_chain_is_refused_until_the_failure_is_named(world: World) -> None:
    world.administrator.remove(world.administrator.key_of(ORG, 6))
    del world.journal.waiting[ORG][6]
    del world.journal.heads[ORG]
    for accepted in ((), (Accepted(FailureCode.MISSING, 5),), (Accepted(FailureCode.FORK),)):
        report = rebuild(world, *accepted)
        assert [(failure.code, failure.sequence) for failure in report.refused] == [(FailureCode.MISSING, 6)]
        assert not report.settled
        assert world.repair.swaps == []
    assert rebuild(world, Accepted(FailureCode.MISSING, 6)).settled
    assert world.journal.head(ORG).sequence == 7


def test_a_head_beyond_everything_goes_back_only_when_that_was_accepted(world: World) -> None:
    leave_unsealed(world, 8)
    del world.journal.waiting[ORG][8]
    head = world.journal.head(ORG)
    assert [failure.code for failure in rebuild(world).refused] == [FailureCode.TRUNCATED]
    assert world.journal.head(ORG) == head
    assert rebuild(world, TRUNCATED).settled
    assert_goes_on(world, sequence=8)


def test_a_head_never_goes_back_behind_a_signature(world: World) -> None:
    for sequence in (4, 5, 6, 7):
        world.administrator.remove(world.administrator.key_of(ORG, sequence))
    world.journal.waiting[ORG].clear()
    head = world.journal.head(ORG)
    report = rebuild(world, *(Accepted(code) for code in FailureCode))
    assert (report.applied, "head" in items(report)) == (True, False)
    assert world.journal.head(ORG) == head


def test_a_register_beyond_the_bucket_is_refused(world: World) -> None:
    state = world.register.read(ORG)
    ahead = replace(state.published, sequence=900)
    world.register.states[ORG] = replace(state, tail=ahead, published=ahead)
    assert [(f.code, f.sequence) for f in rebuild(world).refused] == [(FailureCode.CHECKPOINT_MISMATCH, 900)]
    assert rebuild(world, Accepted(FailureCode.CHECKPOINT_MISMATCH, 900)).settled
    assert_goes_on(world, sequence=8)


def test_two_histories_of_one_sequence_are_a_fork(world: World) -> None:
    world.anchored()
    head = world.journal.head(ORG)
    world.record(8)
    rival = build_chain(1, head=head, seed=5, start_ms=world.clock.now)[0]
    world.journal.waiting[ORG][8] = rival.data
    report = rebuild(world)
    assert [(failure.code, failure.sequence) for failure in report.refused] == [(FailureCode.FORK, 8)]


def test_rubbish_in_the_outbox_is_named(world: World) -> None:
    world.journal.waiting[ORG][8] = b"rubbish"
    assert [(f.code, f.sequence) for f in rebuild(world).refused] == [(FailureCode.UNKNOWN_FORMAT, 8)]
    world.journal.waiting[ORG][8] = build_chain(9)[8].data
    assert [(f.code, f.sequence) for f in rebuild(world).refused] == [(FailureCode.CONTENT_MISMATCH, 8)]


def test_a_stranger_s_key_far_away_costs_nothing(world: World) -> None:
    far = record.key_for(ORG, "019d0b9f-e509-8fff-bfff-fff000000000".replace("fff-bfff", "00e-a35f"))
    assert record.parse_key(far) is not None
    world.administrator.insert(far, b"{}", None)
    assert {failure.code for failure in rebuild(world).refused} >= {FailureCode.UNKNOWN_FORMAT, FailureCode.MISSING}


def test_failures_beyond_the_list_cannot_be_accepted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indelible.domain.findings.MAX_FAILURES", 2)
    for entry in world.sealed()[:3]:
        world.administrator.lay_delete_marker(entry.s3_key)
    report = rebuild(world, Accepted(FailureCode.SHADOWED))
    assert (report.failures_total, len(report.failures), len(report.refused)) == (3, 2, 1)


def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(NotFound):
        World().rebuilder().run("nobody")


def test_for_one_organisation_the_items_of_no_other_are_read(world: World) -> None:
    for name in ("globex", "initech"):
        world.repair.register(name, "2026-03-20T00:00:00.000Z")
    wire = Wire()
    world.rebuilder(wire).run(ORG)
    assert wire.calls.count("table.config") == 1


def test_an_organisation_of_which_no_act_tells_is_said_to_be_unknown(world: World) -> None:
    world.lose_table()
    report = rebuild(world)
    assert "indelible org create acme-corp" in report.lost[0]
    assert ORG in world.repair.registered()
    assert ORG not in world.organisations.configs


def test_days_are_those_of_the_records(world: World) -> None:
    world.journal.days.clear()
    rebuild(world)
    assert world.journal.days == {(ORG, "2026-03-20"): 1, (ORG, "2026-03-21"): 4}
    assert world.clock.now > MIDNIGHT
