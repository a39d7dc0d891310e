# SPDX-License-Identifier: Apache-2.0
"""Recording: limits, keys, contention. What survives which crash: tests/faults."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from indelible.domain import record
from indelible.domain.record import Record
from indelible.errors import (
    EvidenceBroken,
    HeadRegressed,
    IdempotencyConflict,
    NotSealed,
    TooLarge,
    Unavailable,
)
from indelible.services.submission import Submission
from tests.fakes.chains import ORG, event
from tests.fakes.world import World
from tests.faults.wire import Fault, Wire


def of_size(size: int) -> bytes:
    frame = b'{"event_type":"X","payload":{"p":""}}'
    return frame.replace(b'"p":""', b'"p":"%b"' % (b"x" * (size - len(frame))))


def sending(world: World, *events: bytes, key: str | None = None) -> Submission:
    return replace(world.submission(key=key), events=events)


def test_what_is_recorded_is_what_was_sent() -> None:
    world = World()

    receipt = world.record(7)[0]

    sealed = world.sealed()[0]
    assert json.loads(sealed.data)["event"] == json.loads(event(7))
    assert (receipt.tx_hash, receipt.s3_key, receipt.sequence) == (sealed.tx_hash, sealed.s3_key, 1)
    assert receipt.prev_hash == "GENESIS"


def test_the_largest_event_is_recorded_and_one_byte_more_is_refused_before_anything_happens() -> None:
    world, wire = World(), Wire()
    process = world.appender(wire)

    assert len(process.append(sending(world, of_size(record.MAX_EVENT_BYTES)))) == 1
    wire.calls.clear()
    with pytest.raises(TooLarge) as refused:
        process.append(sending(world, of_size(record.MAX_EVENT_BYTES + 1)))

    assert refused.value.field == "event"
    assert wire.calls == []


def test_one_event_too_large_refuses_its_whole_batch_by_position() -> None:
    world, wire = World(), Wire()
    batch = sending(world, event(1), event(2), of_size(record.MAX_EVENT_BYTES + 1), event(3))

    with pytest.raises(TooLarge) as refused:
        world.appender(wire).append(batch)

    assert refused.value.field == "events[2]"
    assert wire.calls == []


def test_a_batch_of_large_events_is_cut_where_a_transaction_is_full() -> None:
    world, wire = World(), Wire()
    receipts = world.appender(wire).append(sending(world, *[of_size(record.MAX_EVENT_BYTES)] * 30))

    assert wire.calls.count("journal.commit") == 3  # the fake refuses a transaction that DynamoDB would
    assert [receipt.sequence for receipt in receipts] == list(range(1, 31))


def test_a_batch_is_consecutive_and_each_names_the_one_before() -> None:
    world = World()
    world.record(0)

    receipts = world.record(1, 2, 3)

    assert [receipt.sequence for receipt in receipts] == [2, 3, 4]
    assert [later.prev_hash for later in receipts[1:]] == [earlier.tx_hash for earlier in receipts[:-1]]


@pytest.mark.parametrize("again", [(1,), (2, 1), (1, 2, 3), (3, 4)])
def test_a_key_used_for_something_else_is_a_conflict(again: tuple[int, ...]) -> None:
    world = World()
    process = world.appender()
    process.append(world.submission(1, 2, key="key"))

    with pytest.raises(IdempotencyConflict) as refused:
        process.append(world.submission(*again, key="key"))

    assert refused.value.field == "idempotency_key"
    assert world.journal.head(ORG).sequence == 2


def test_keys_belong_to_their_organisation() -> None:
    world = World()
    process = world.appender()
    mine = process.append(world.submission(1, key="key"))
    theirs = process.append(world.submission(2, key="key", org_id="globex"))

    assert mine[0].audit_id != theirs[0].audit_id
    assert theirs[0].s3_key.startswith("globex/")


def test_the_key_itself_is_never_stored() -> None:
    world = World()
    world.appender().append(world.submission(1, key="a-very-private-key"))

    assert "a-very-private-key" not in str(world.journal.snapshot())
    assert all(b"a-very-private-key" not in entry.data for entry in world.sealed())


def test_a_key_gives_the_same_receipts_from_any_environment_after_anything() -> None:
    world = World()
    first = world.appender().append(world.submission(1, 2, key="key"))
    world.record(3)
    world.anchor().run(ORG, deadline_ms=world.clock.now + 60_000)
    world.clock.advance(86_400_000)

    assert world.appender().append(world.submission(1, 2, key="key")) == first


def test_a_replayed_record_that_rotted_gets_no_receipt() -> None:
    world = World()
    world.appender().append(world.submission(1, key="key"))
    world.anchor().run(ORG, deadline_ms=world.clock.now + 60_000)
    key = world.administrator.key_of(ORG, 1)
    world.administrator.rot(key, world.bucket.versions(key)[0].data.replace(b'"number":1', b'"number":2'))

    with pytest.raises(EvidenceBroken):
        world.appender().append(world.submission(1, key="key"))


@pytest.mark.parametrize("sequence", [1, 2, 3], ids=["first", "middle", "last"])
def test_a_replay_tells_a_record_that_was_put_in_the_place_of_the_committed_one(sequence: int) -> None:
    """Under the same key, a record of the right form and locked as it says: only its hash differs."""
    world = World()
    world.appender().append(world.submission(1, 2, 3, key="key"))
    world.anchored()
    key = world.administrator.key_of(ORG, sequence)
    data = world.bucket.versions(key)[0].data
    number = b'"number":%d' % sequence
    world.administrator.rewrite(key, data.replace(number, b'"number":9'))

    with pytest.raises(EvidenceBroken) as refused:
        world.appender().append(world.submission(1, 2, 3, key="key"))

    assert refused.value.audit_id == record.read(data).audit_id


def test_a_replayed_record_that_lost_its_lock_gets_no_receipt() -> None:
    world = World()
    world.appender().append(world.submission(1, key="key"))
    world.administrator.set_lock(world.administrator.key_of(ORG, 1), None)

    with pytest.raises(EvidenceBroken):
        world.appender().append(world.submission(1, key="key"))


def test_two_with_one_clock_never_go_back_in_time() -> None:
    world = World()
    world.record(1)
    world.clock.now -= 3_600_000

    world.record(2)

    first, second = world.sealed()
    assert second.timestamp_ms == first.timestamp_ms
    assert world.verify().valid is True


def test_a_table_that_does_not_answer_is_unavailable_in_time() -> None:
    world = World()
    began = world.clock.now
    process = world.appender(Wire(Fault(3, "before", "outage")))

    with pytest.raises(Unavailable) as refused:
        process.append(world.submission(1, wait_ms=300))

    assert (refused.value.code, refused.value.status) == ("UNAVAILABLE", 503)
    assert world.clock.now <= began + 300


def test_an_unsealed_record_is_named() -> None:
    world = World()

    with pytest.raises(NotSealed) as refused:
        world.appender(Wire(Fault(4, "before", "outage"))).append(world.submission(1))

    waiting = record.read(world.journal.waiting[ORG][1])
    assert refused.value.audit_id == waiting.audit_id
    assert waiting.audit_id in refused.value.message
    assert world.telemetry.counts["SealFailures"] == 1


def test_a_bucket_that_refuses_does_not_hide_what_is_committed() -> None:
    """A policy, a quota, a defect: the caller has the audit_id, may retry, and nothing is recorded twice."""
    world = World()
    process, seal = world.appender(), world.records.seal

    def refuse(record: Record) -> str:
        raise PermissionError("AccessDenied")

    world.records.seal = refuse  # type: ignore[method-assign]
    for _ in range(2):
        with pytest.raises(NotSealed) as refused:
            process.append(world.submission(1, key="once"))
        assert refused.value.audit_id == record.read(world.journal.waiting[ORG][1]).audit_id
        assert refused.value.retryable
    world.records.seal = seal  # type: ignore[method-assign]

    assert [one.audit_id for one in process.append(world.submission(1, key="once"))] == [refused.value.audit_id]
    assert len(world.sealed()) == 1
    assert ("not sealed", {"error": "PermissionError", "audit_id": refused.value.audit_id}) in world.telemetry.notes


def test_a_key_that_somebody_filled_is_broken_evidence_not_a_crash() -> None:
    """Random bits make it all but impossible; an administrator who reads the table could."""
    world = World()

    process = world.appender()
    seal = world.records.seal

    def squat(record: Record) -> str:
        world.administrator.insert(record.s3_key, b"mine", None)
        return seal(record)

    world.records.seal = squat  # type: ignore[method-assign]
    with pytest.raises(EvidenceBroken):
        process.append(world.submission(1))


def test_a_head_regressed_stops_recording_until_the_table_is_rebuilt() -> None:
    world = World()
    process = world.appender()
    process.append(world.submission(1))
    backup = world.journal.snapshot()
    process.append(world.submission(2))
    rebuilt = world.journal.snapshot()
    world.journal.restore(backup)
    with pytest.raises(HeadRegressed) as refused:
        process.append(world.submission(3))
    assert not refused.value.retryable

    world.journal.restore(rebuilt)

    assert process.append(world.submission(3))[0].sequence == 3
    assert world.verify().valid is True
