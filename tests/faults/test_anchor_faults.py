# SPDX-License-Identifier: Apache-2.0
"""The anchor dies anywhere, runs twice at once, and runs while others record: the next run finishes it all."""

from __future__ import annotations

import pytest

from indelible.domain import record
from indelible.domain.findings import FailureCode
from indelible.errors import EvidenceBroken, HeadRegressed
from indelible.services import anchor as anchors
from indelible.services.rounds import Rounds
from tests.fakes.chains import ORG, build_chain
from tests.fakes.machine import ThreadedWorkers
from tests.fakes.world import World
from tests.faults.cells import cells
from tests.faults.leftovers import run, world_with_leftovers
from tests.faults.oracle import Client, assert_guarantees
from tests.faults.stage import Stage
from tests.faults.wire import HOWS, SEVERAL, WHENS, Fault, Wire


@pytest.mark.parametrize("pass_size", [1000, 2], ids=["one-pass", "passes-of-two"])
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("when", [*WHENS, "amid"])
def test_every_call_of_the_anchor_fails_in_every_way(
    when: str, how: str, pass_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anchors, "PASS_SIZE", pass_size)
    honest, wire = world_with_leftovers(), Wire()
    report = run(honest, wire)
    assert report is not None
    assert (report.records, report.sealed, report.repaired) == (5, 2, 1)
    assert {
        "records.read_all",
        "index.repair",
        "files.write",
        "register.advance",
        "signer.sign",
        "files.latest",
        "journal.clear",
    } <= set(wire.calls)
    assert_guarantees(honest, [], before=[1, 2, 3, 4, 5])

    for at, name in enumerate(wire.calls, start=1):
        if when == "amid" and name not in SEVERAL:
            continue
        world = world_with_leftovers()
        # One fault, then a second run with a fault in the same place, then one without.
        run(world, Wire(Fault(at, when, how)))  # type: ignore[arg-type]
        covered = world.register.read(ORG)
        assert covered.cleared <= covered.tree_size <= covered.tail.sequence <= 5
        assert world.verify().valid is True, "whatever is published already is true"
        run(world, Wire(Fault(at, when, how)))  # type: ignore[arg-type]
        try:
            assert_guarantees(world, [], before=[1, 2, 3, 4, 5])
        except AssertionError as error:
            error.add_note(f"cell: {name} (call {at}), {when}, {how}")
            raise


@pytest.mark.parametrize("key", [None, "key"])
@pytest.mark.parametrize("fault", [None, Fault(4, "before", "error"), Fault(3, "after", "kill")], ids=str)
def test_an_anchor_and_a_writer_at_every_step(key: str | None, fault: Fault | None) -> None:
    """Among them: the anchor seals and clears between a retry's look at the store and its look at the outbox."""
    writing, anchoring = Wire(), Wire()
    sample = world_with_leftovers()
    Client(sample, sample.submission(6, key=key)).ask(sample.appender(writing))
    run(sample, anchoring)
    for first, second in cells(range(len(writing.calls) + 4), range(len(anchoring.calls) + 1), every=3):
        for plan in ([("writer", first), ("anchor", second)], [("anchor", second), ("writer", first)]):
            world, stage = world_with_leftovers(), Stage()
            client = Client(world, world.submission(6, key=key))
            wire = Wire(fault, gate=stage.gate("writer"))

            def write(world: World = world, wire: Wire = wire, client: Client = client) -> None:
                client.insist(wire, world.appender(wire))

            def tidy(world: World = world, stage: Stage = stage) -> object:
                return run(world, Wire(gate=stage.gate("anchor")))

            played = stage.play({"writer": write, "anchor": tidy}, plan)
            assert played["anchor"] is not None, f"cell: {plan}"
            assert_guarantees(world, [client], before=[1, 2, 3, 4, 5])


def test_a_broken_chain_is_announced_and_not_covered_and_others_go_on() -> None:
    world = World()
    world.record(1, 2, 3)
    world.record(11, 12, org_id="globex")
    key = world.administrator.key_of(ORG, 2)
    world.administrator.rot(key, world.bucket.versions(key)[0].data.replace(b'"number":2', b'"number":7'))
    rounds = Rounds(anchor=world.anchor(), clock=world.clock, telemetry=world.telemetry)

    report = rounds.anchor([ORG, "globex"], budget_ms=60_000)

    broken = next(r for r in report.reports if r.org_id == ORG)
    assert [(f.code, f.sequence) for f in broken.broken] == [
        (FailureCode.CONTENT_MISMATCH, 2),
        (FailureCode.BROKEN_LINK, 3),
    ]
    assert world.register.read(ORG).tree_size == 0
    assert world.waiting() == [1, 2, 3], "what is not covered stays in the outbox"
    assert world.register.read("globex").tree_size == 2
    assert world.waiting("globex") == []
    assert world.telemetry.counts["BrokenChain"] == 1
    assert {fields["sequence"] for message, fields in world.telemetry.notes if message == "verification failed"} == {
        2,
        3,
    }


def test_what_one_table_entry_says_stops_nobody_else() -> None:
    """The table is trusted for nothing: not even for bytes that can be read."""
    world = World()
    Client(world, world.submission(1)).ask(world.appender(Wire(Fault(4, "before", "error"))))
    world.record(11, org_id="globex")
    world.journal.waiting[ORG][1] = b"rubbish"
    rounds = Rounds(anchor=world.anchor(), clock=world.clock, telemetry=world.telemetry)

    report = rounds.anchor([ORG, "globex"], budget_ms=60_000)

    assert report.failed == {}
    assert [found.org_id for found in report.reports if found.broken] == [ORG]
    assert world.register.read("globex").tree_size == 1
    assert world.telemetry.counts["BrokenChain"] == 1
    assert world.waiting() == [1]


def test_a_shadow_is_announced_and_covered_all_the_same() -> None:
    world = World()
    world.record(1, 2, 3)
    world.administrator.lay_delete_marker(world.administrator.key_of(ORG, 2))

    report = world.anchor().run(ORG, deadline_ms=world.clock.now + 60_000)

    assert (report.tree_size, report.shadowed, report.broken) == (3, 1, ())
    assert world.waiting() == []


def test_an_outbox_entry_whose_key_holds_something_else_is_kept_and_stops_the_run() -> None:
    world = World()
    wire = Wire(Fault(4, "before", "error"))
    Client(world, world.submission(1)).ask(world.appender(wire))
    waiting = world.journal.waiting[ORG][1]
    mine = build_chain(1)[0]
    key = next(iter(build_keys(waiting)))
    world.administrator.insert(key, mine.data, None)

    report = world.anchor().run(ORG, deadline_ms=world.clock.now + 60_000)

    assert report.broken
    assert report.tree_size == 0
    assert world.waiting() == [1]


def build_keys(*entries: bytes) -> list[str]:
    return [record.read(data).s3_key for data in entries]


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_a_table_from_the_past_stops_recording_and_anchoring(warm: bool) -> None:
    world = World()
    process = world.appender()
    world.record(1, 2)
    backup = world.journal.snapshot()
    process.append(world.submission(3))
    world.record(4)
    world.anchor().run(ORG, deadline_ms=world.clock.now + 60_000)
    process.append(world.submission(5))
    world.journal.restore(backup)
    sealed = world.sealed()

    for _ in range(2):
        with pytest.raises(HeadRegressed):
            (process if warm else world.appender()).append(world.submission(6, key="key"))
        with pytest.raises(HeadRegressed):
            world.anchor().run(ORG, deadline_ms=world.clock.now + 60_000)

    assert world.sealed() == sealed, "nothing was laid beside what is there"
    assert world.journal.head(ORG) == backup.heads[ORG]


def test_a_head_of_another_history_is_as_bad_as_an_old_one() -> None:
    world = World()
    process = world.appender()
    process.append(world.submission(1))
    process.append(world.submission(2))
    other = build_chain(2, seed=99)[-1].head
    world.administrator.set_head(ORG, other)

    with pytest.raises(HeadRegressed):
        process.append(world.submission(3))


def test_an_anchor_ahead_of_the_table_says_so() -> None:
    """The log covers more than the head: even with the bucket emptied, the register remembers."""
    world = World()
    world.record(1, 2)
    backup = world.journal.snapshot()
    world.record(3)
    world.anchor().run(ORG, deadline_ms=world.clock.now + 60_000)
    world.journal.restore(backup)
    for key in list(world.bucket.stacks):
        world.administrator.remove(key)

    with pytest.raises(HeadRegressed):
        world.anchor().run(ORG, deadline_ms=world.clock.now + 60_000)


def test_a_writer_between_the_two_looks_is_no_regression() -> None:
    """Cold start beside a busy environment: it lists a record that the head it read does not know yet."""
    world, stage = World(), Stage()
    world.record(1)
    wire = Wire(gate=stage.gate("cold"))
    cold = world.appender(wire)

    stage.play(
        {"cold": lambda: cold.append(world.submission(3)), "busy": lambda: world.record(2)},
        [("cold", 1), ("busy", None)],
    )

    assert wire.calls[:3] == ["journal.head", "records.first_key_after", "journal.head"]
    assert [entry.sequence for entry in world.sealed()] == [1, 2, 3]


def test_a_receipt_is_never_given_for_what_somebody_else_put_there() -> None:
    """The record was committed and not sealed; before the retry an administrator fills its key."""
    world = World()
    wire = Wire(Fault(4, "before", "error"))
    process = world.appender(wire)
    client = Client(world, world.submission(1, key="key"))
    client.ask(process)
    wire.cut()
    waiting = world.journal.waiting[ORG][1]
    forged = waiting.replace(b'"number":1', b'"number":9')
    world.administrator.insert(build_keys(waiting)[0], forged, None)

    with pytest.raises(EvidenceBroken):
        process.append(client.submission)


def test_threads_change_nothing() -> None:
    world = World()
    workers = ThreadedWorkers()
    process = world.appender(workers=workers)
    process.append(world.submission(*range(1, 61), key="key"))
    again = world.appender(workers=workers).append(world.submission(*range(1, 61), key="key"))
    world.anchor(workers=workers).run(ORG, deadline_ms=world.clock.now + 60_000)

    assert [receipt.sequence for receipt in again] == list(range(1, 61))
    assert_guarantees(world, [], before=list(range(1, 61)))
