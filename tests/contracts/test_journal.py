# SPDX-License-Identifier: Apache-2.0
"""Journal: one head, moved by compare-and-swap, with outbox and idempotency key in the same transaction."""

from __future__ import annotations

import threading

import pytest

from indelible.domain.record import EMPTY_CHAIN
from indelible.errors import HeadRegressed
from indelible.ports import MAX_RECORDS_PER_COMMIT, AlreadyRecorded, HeadMoved, Idempotency, Remembered
from tests.contracts.conftest import Adapters, fakes
from tests.fakes.chains import ORG, build_chain
from tests.fakes.machine import MIDNIGHT

CHAIN = build_chain(6)
RIVALS = build_chain(6, seed=77)
NOW = MIDNIGHT
KEY = Idempotency(key_hash="aa" * 32, request_hash="bb" * 32)


def test_before_the_first_record_there_is_an_empty_chain(adapters: Adapters) -> None:
    assert adapters.journal.head(ORG) == EMPTY_CHAIN
    assert adapters.journal.outbox(ORG, [1, 2]) == {}
    assert adapters.journal.outbox(ORG, []) == {}


def test_a_commit_moves_the_head_and_fills_the_outbox(adapters: Adapters) -> None:
    adapters.journal.commit(EMPTY_CHAIN, CHAIN[:1], None, NOW)
    adapters.journal.commit(CHAIN[0].head, CHAIN[1:4], None, NOW)

    assert adapters.journal.head(ORG) == CHAIN[3].head
    assert adapters.journal.outbox(ORG, [1, 2, 3, 4, 5]) == {n: CHAIN[n - 1].data for n in range(1, 5)}
    assert adapters.journal.outbox(ORG, [3]) == {3: CHAIN[2].data}
    assert adapters.journal.outbox(ORG, [9]) == {}
    assert adapters.journal.outbox(ORG, range(2, 4)) == {2: CHAIN[1].data, 3: CHAIN[2].data}
    twice = adapters.journal.outbox(ORG, [3, 2, 3])  # as a rebuild asks that has met a fork
    assert list(twice.items()) == [(2, CHAIN[1].data), (3, CHAIN[2].data)]
    assert adapters.journal.head("globex") == EMPTY_CHAIN


def test_organisations_do_not_meet(adapters: Adapters) -> None:
    other = build_chain(1, org_id="globex")
    adapters.journal.commit(EMPTY_CHAIN, CHAIN[:1], KEY, NOW)
    adapters.journal.commit(EMPTY_CHAIN, other, KEY, NOW)

    assert adapters.journal.head("globex") == other[0].head
    assert adapters.journal.outbox("globex", [1]) == {1: other[0].data}


@pytest.mark.parametrize(
    "expected",
    [EMPTY_CHAIN, CHAIN[0].head, RIVALS[1].head],
    ids=["of the beginning", "of the past", "same sequence, other hash"],
)
def test_a_head_that_moved_is_told_and_nothing_is_written(adapters: Adapters, expected: object) -> None:
    adapters.journal.commit(EMPTY_CHAIN, CHAIN[:2], None, NOW)
    follow = {EMPTY_CHAIN: RIVALS[:1], CHAIN[0].head: build_chain(1, head=CHAIN[0].head, seed=5)}
    records = follow.get(expected, RIVALS[2:3])  # type: ignore[call-overload]

    with pytest.raises(HeadMoved) as moved:
        adapters.journal.commit(expected, records, KEY, NOW)  # type: ignore[arg-type]

    assert moved.value.head == CHAIN[1].head
    assert adapters.journal.head(ORG) == CHAIN[1].head
    assert adapters.journal.outbox(ORG, [1, 2, 3]) == {1: CHAIN[0].data, 2: CHAIN[1].data}
    adapters.journal.commit(CHAIN[1].head, CHAIN[2:3], KEY, NOW)  # the key was not taken by the loser


def test_a_head_ahead_of_the_table_has_moved_too(adapters: Adapters) -> None:
    with pytest.raises(HeadMoved) as moved:
        adapters.journal.commit(CHAIN[0].head, CHAIN[1:2], None, NOW)

    assert moved.value.head in (EMPTY_CHAIN, None)
    assert adapters.journal.head(ORG) == EMPTY_CHAIN


def test_an_idempotency_key_is_remembered(adapters: Adapters) -> None:
    adapters.journal.commit(EMPTY_CHAIN, CHAIN[:2], KEY, NOW)

    with pytest.raises(AlreadyRecorded) as taken:
        adapters.journal.commit(CHAIN[1].head, CHAIN[2:3], KEY, NOW)

    assert taken.value.remembered == Remembered(
        KEY.request_hash, (CHAIN[0].audit_id, CHAIN[1].audit_id), CHAIN[1].tx_hash
    )
    assert adapters.journal.head(ORG) == CHAIN[1].head
    assert adapters.journal.outbox(ORG, [3]) == {}


def test_the_key_comes_before_the_race(adapters: Adapters) -> None:
    adapters.journal.commit(EMPTY_CHAIN, CHAIN[:1], KEY, NOW)

    with pytest.raises(AlreadyRecorded):
        adapters.journal.commit(EMPTY_CHAIN, RIVALS[:1], KEY, NOW)


def test_later_parts_of_a_batch_have_a_place_of_their_own(adapters: Adapters) -> None:
    adapters.journal.commit(EMPTY_CHAIN, CHAIN[:2], KEY, NOW)
    second = Idempotency(KEY.key_hash, KEY.request_hash, start=2)
    adapters.journal.commit(CHAIN[1].head, CHAIN[2:3], second, NOW)

    with pytest.raises(AlreadyRecorded) as taken:
        adapters.journal.commit(CHAIN[2].head, CHAIN[3:4], second, NOW)

    assert taken.value.remembered.audit_ids == (CHAIN[2].audit_id,)


def test_a_key_counts_for_thirty_days(adapters: Adapters) -> None:
    adapters.journal.commit(EMPTY_CHAIN, CHAIN[:1], KEY, NOW)
    days = 86_400_000

    with pytest.raises(AlreadyRecorded):
        adapters.journal.commit(CHAIN[0].head, CHAIN[1:2], KEY, NOW + 30 * days - 1000)
    adapters.journal.commit(CHAIN[0].head, CHAIN[1:2], KEY, NOW + 30 * days + 1000)

    assert adapters.journal.head(ORG) == CHAIN[1].head


def test_a_full_transaction_fits(adapters: Adapters) -> None:
    chain = build_chain(MAX_RECORDS_PER_COMMIT)

    adapters.journal.commit(EMPTY_CHAIN, chain, KEY, NOW)

    assert adapters.journal.head(ORG) == chain[-1].head
    assert len(adapters.journal.outbox(ORG, range(1, 200))) == MAX_RECORDS_PER_COMMIT


def test_cleared_entries_are_gone_and_the_rest_stays(adapters: Adapters) -> None:
    adapters.journal.commit(EMPTY_CHAIN, CHAIN[:4], None, NOW)
    for entry in CHAIN[:4]:
        adapters.records.seal(entry)
        adapters.records.oldest(entry.s3_key)

    adapters.journal.clear(ORG, [1, 3])
    adapters.journal.clear(ORG, [1, 3, 99])
    adapters.journal.clear(ORG, [])

    assert adapters.journal.outbox(ORG, range(1, 5)) == {2: CHAIN[1].data, 4: CHAIN[3].data}
    assert adapters.journal.head(ORG) == CHAIN[3].head


def test_a_head_set_back_by_hand_meets_the_outbox(adapters: Adapters) -> None:
    """Only the head went back: the outbox still holds what once followed it, and it is not written over."""
    rival = build_chain(1, org_id="acme-corp", seed=5)
    adapters.journal.commit(EMPTY_CHAIN, rival, None, NOW)
    _set_back(adapters)

    with pytest.raises(HeadRegressed):
        adapters.journal.commit(EMPTY_CHAIN, CHAIN[:1], None, NOW)

    assert adapters.journal.outbox(ORG, [1]) == {1: rival[0].data}


@pytest.mark.parametrize("adapters", ["aws on moto"], indirect=True)
@pytest.mark.parametrize("damage", [{"sequence": {"N": "1"}}, {"timestamp": {"S": "yesterday"}}])
def test_a_head_that_cannot_be_read_is_named(adapters: Adapters, damage: dict[str, object]) -> None:
    dynamodb, table = adapters.journal._client, adapters.journal._table  # type: ignore[attr-defined]
    adapters.journal.commit(EMPTY_CHAIN, CHAIN[:1], None, NOW)
    place = {"pk": {"S": ORG}, "sk": {"S": "HEAD"}}
    whole = dynamodb.get_item(TableName=table, Key=place)["Item"]
    dynamodb.put_item(TableName=table, Item=place | damage if "sequence" in damage else whole | damage)

    with pytest.raises(HeadRegressed, match=f"^the item {ORG} / HEAD "):
        adapters.journal.head(ORG)
    with pytest.raises(HeadRegressed, match=f"^the item {ORG} / HEAD "):
        adapters.journal.commit(RIVALS[0].head, RIVALS[1:2], None, NOW)


def test_of_many_at_once_exactly_one_wins_each_sequence() -> None:
    """Real threads on the fake, whose compare-and-swap the crash matrix relies on.

    moto rolls back a cancelled transaction by restoring whole tables, and so loses what others committed meanwhile;
    for the real one tests/e2e has eight processes recording into one organisation.
    """
    adapters = fakes()
    won: list[str] = []

    def race(seed: int) -> None:
        for _ in range(40):
            head = adapters.journal.head(ORG)
            built = build_chain(1, head=head, seed=seed * 1000 + head.sequence)
            try:
                adapters.journal.commit(head, built, None, NOW)
            except HeadMoved:
                continue
            won.append(built[0].tx_hash)
            return

    threads = [threading.Thread(target=race, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(won)) == 6
    assert adapters.journal.head(ORG).sequence == 6
    assert len(adapters.journal.outbox(ORG, range(1, 7))) == 6


def _set_back(adapters: Adapters) -> None:
    heads = getattr(adapters.journal, "heads", None)
    if heads is not None:
        del heads[ORG]
        return
    client = adapters.journal._client  # type: ignore[attr-defined]
    client.delete_item(TableName="ledger", Key={"pk": {"S": ORG}, "sk": {"S": "HEAD"}})
