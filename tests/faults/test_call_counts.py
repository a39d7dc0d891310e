# SPDX-License-Identifier: Apache-2.0
"""What a request costs: the round trips that the design promises, counted."""

from __future__ import annotations

from collections import Counter

import pytest

from indelible.errors import HeadRegressed
from tests.fakes.chains import ORG
from tests.fakes.machine import SequentialWorkers
from tests.fakes.world import World
from tests.faults.stage import Stage
from tests.faults.wire import Wire


def test_warm_and_uncontended_is_one_commit_then_one_seal_beside_one_put() -> None:
    world, wire = World(), Wire()
    process = world.appender(wire)
    process.append(world.submission(1))
    wire.calls.clear()

    process.append(world.submission(2))

    assert wire.calls == ["journal.commit", "records.seal", "index.put"]


def test_an_idempotency_key_costs_nothing() -> None:
    world, wire = World(), Wire()
    process = world.appender(wire)
    process.append(world.submission(1))
    wire.calls.clear()

    process.append(world.submission(2, key="key"))

    assert wire.calls == ["journal.commit", "records.seal", "index.put"]


def test_what_runs_beside_the_seal_is_given_to_the_workers_together() -> None:
    class Watched(SequentialWorkers):
        batches: list[int] = []  # noqa: RUF012 -- one test, one list

        def gather(self, thunks):  # type: ignore[no-untyped-def]
            self.batches.append(len(thunks))
            return super().gather(thunks)

    world = World()
    process = world.appender(workers=Watched())
    process.append(world.submission(1))
    process.append(world.submission(2))

    assert Watched.batches == [3, 2]


def test_cold_adds_one_read_and_one_listing() -> None:
    world, wire = World(), Wire()

    world.appender(wire).append(world.submission(1))

    assert wire.calls == [
        "journal.head",
        "records.first_key_after",
        "journal.commit",
        "records.seal",
        "index.put",
        "news.mark",
    ]


def test_news_goes_out_at_most_once_a_minute_for_each_organisation() -> None:
    world, wire = World(), Wire()
    process = world.appender(wire)
    for number in range(1, 1 + 13):
        process.append(world.submission(number))
        world.clock.advance(10_000)
    process.append(world.submission(99, org_id="globex"))

    assert wire.calls.count("news.mark") == 3 + 1
    assert world.news.recent(world.clock.now, None, limit=9).names == (ORG, "globex")


def test_a_batch_is_one_commit() -> None:
    world, wire = World(), Wire()
    process = world.appender(wire)
    process.append(world.submission(1))
    wire.calls.clear()

    process.append(world.submission(*range(2, 99)))

    assert wire.calls == ["journal.commit"] + ["records.seal"] * 97 + ["index.put"] * 97


def test_a_hundred_events_are_two_commits() -> None:
    world, wire = World(), Wire()

    receipts = world.appender(wire).append(world.submission(*range(1, 101)))

    assert wire.calls.count("journal.commit") == 2
    assert [receipt.sequence for receipt in receipts] == list(range(1, 101))


def test_a_lost_race_costs_one_commit_and_no_read() -> None:
    """The cancelled transaction already carries the head to try next."""
    world, stage = World(), Stage()
    wire = Wire(gate=stage.gate("slow"))
    slow, fast = world.appender(wire), world.appender()
    slow.append(world.submission(1))
    fast.append(world.submission(2))
    wire.calls.clear()

    slow.append(world.submission(3))

    assert wire.calls == ["journal.commit", "journal.commit", "records.seal", "index.put"]
    assert world.telemetry.counts["LostRaces"] == 1


def test_two_taking_turns_read_the_head_instead_of_losing_every_first_try() -> None:
    world = World()
    wires = [Wire(), Wire()]
    processes = [world.appender(wire) for wire in wires]
    for number in range(1, 9):
        processes[number % 2].append(world.submission(number))
    for wire in wires:
        wire.calls.clear()

    for number in range(9, 17):
        processes[number % 2].append(world.submission(number))

    assert wires[0].calls == ["journal.head", "journal.commit", "records.seal", "index.put"] * 4
    assert world.telemetry.counts["LostRaces"] <= 2


def test_alone_again_stops_reading() -> None:
    world, wire = World(), Wire()
    process = world.appender(wire)
    process.append(world.submission(1))
    world.record(2)
    process.append(world.submission(3))
    process.append(world.submission(4))
    wire.calls.clear()

    process.append(world.submission(5))

    assert wire.calls == ["journal.commit", "records.seal", "index.put"]


def test_a_replayed_key_costs_one_look_at_the_outbox_and_one_a_record() -> None:
    world, wire = World(), Wire()
    process = world.appender(wire)
    first = process.append(world.submission(1, 2, key="key"))
    wire.calls.clear()

    assert process.append(world.submission(1, 2, key="key")) == first
    assert wire.calls == ["journal.commit", "journal.outbox", "records.oldest", "records.oldest"]


def test_an_idle_organisation_costs_the_anchor_two_listings_and_two_reads_of_the_table() -> None:
    world, wire = World(), Wire()
    world.record(*range(1, 301))
    world.anchored()

    world.anchor(wire).run(ORG, deadline_ms=world.clock.now + 60_000)

    assert wire.calls == ["register.read", "files.sizes", "journal.head", "records.first_key_after"]


def grown_log() -> World:
    """Ten checkpoints over 700 records, each in the ledger's own log."""
    world = World()
    for start in range(1, 701, 70):
        world.record(*range(start, start + 70))
        world.anchored()
        world.logged()
    return world


def test_proving_lists_versions_of_the_record_and_of_its_checkpoint_and_of_nothing_else() -> None:
    """Two listings to find a checkpoint and what is anchored, two first versions, three files that prove themselves."""
    world, wire = grown_log(), Wire()

    world.prover(wire).prove(ORG, audit_id=world.sealed()[350].audit_id)

    assert Counter(call for call in wire.calls if not call.startswith("signer.")) == {
        "records.oldest": 1,
        "files.sizes": 1,
        "files.read": 1,
        "files.current": 3,
        "anchors.stored": 1,
    }


def test_the_anchor_goes_on_from_an_edge_that_it_finds_without_listing() -> None:
    world, wire = grown_log(), Wire()
    world.record(701)

    world.anchor(wire).run(ORG, deadline_ms=world.clock.now + 60_000)

    assert wire.calls.count("files.current") == 2 + 1, "a bundle and a tile of level 1; and the key statement"
    assert wire.calls.count("files.read") <= 2, "the signed checkpoint, and that the key has no successor"


def test_a_table_from_the_past_is_told_by_the_first_checkpoint_that_it_does_not_know() -> None:
    world, wire = World(), Wire()
    world.record(1)
    world.anchored()
    past = world.register.states[ORG]
    for number in range(2, 12):
        world.record(number)
        world.anchored()
    world.register.states[ORG] = past

    with pytest.raises(HeadRegressed):
        world.anchor(wire).run(ORG, deadline_ms=world.clock.now + 60_000)
    assert wire.calls.count("files.read") == 1
