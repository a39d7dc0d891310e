# SPDX-License-Identifier: Apache-2.0
"""LedgerRegister, LedgerOutbox and RoundStarts: a batch is fixed once, and what waits is not lost."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import islice, pairwise

import pytest

from indelible.domain import tiles
from indelible.domain.ledger import LedgerLeaf
from indelible.errors import HeadRegressed
from indelible.ports import EMPTY_LEDGER, LedgerState
from tests.contracts.conftest import Adapters
from tests.fakes.machine import MIDNIGHT

DAY_MS = 86_400_000


def leaf(org_id: str, size: int) -> LedgerLeaf:
    sha256 = hashlib.sha256(f"{org_id} {size}".encode()).hexdigest()
    return LedgerLeaf(org_id, size, sha256, MIDNIGHT + 2555 * DAY_MS, MIDNIGHT + size)


def fixed(after: LedgerState, before: list[LedgerLeaf], *batch: LedgerLeaf) -> LedgerState:
    grown, _ = tiles.grow(tiles.EMPTY, [one.data for one in (*before, *batch)])
    return LedgerState(grown.size, grown.root().hex(), after.published, batch)


def published(state: LedgerState) -> LedgerState:
    return replace(state, published=state.tree_size, batch=())


FIRST = [leaf("acme-corp", 3), leaf("acme-corp", 1003), leaf("globex", 1)]
ONE = fixed(EMPTY_LEDGER, [], *FIRST)
TWO = fixed(published(ONE), FIRST, leaf("_admin", 2))
STEPS = [EMPTY_LEDGER, ONE, published(ONE), TWO, published(TWO)]


def test_before_the_first_run_the_log_is_empty(adapters: Adapters) -> None:
    assert adapters.ledger_register.read() == EMPTY_LEDGER
    assert list(adapters.ledger_outbox.waiting()) == []


def test_every_step_is_remembered_as_it_was(adapters: Adapters) -> None:
    for old, new in pairwise(STEPS):
        assert adapters.ledger_register.advance(old, new)
        assert adapters.ledger_register.read() == new


@pytest.mark.parametrize("step", range(1, len(STEPS)))
def test_who_is_late_changes_nothing(adapters: Adapters, step: int) -> None:
    for old, new in pairwise(STEPS[: step + 1]):
        assert adapters.ledger_register.advance(old, new)
    for old, new in pairwise(STEPS[: step + 1]):
        assert not adapters.ledger_register.advance(old, new)
    assert adapters.ledger_register.read() == STEPS[step]


def test_another_batch_of_the_same_size_is_another_state(adapters: Adapters) -> None:
    assert adapters.ledger_register.advance(EMPTY_LEDGER, ONE)
    rival = fixed(EMPTY_LEDGER, [], *FIRST[:2], leaf("initech", 7))

    assert not adapters.ledger_register.advance(rival, published(rival))
    assert adapters.ledger_register.read() == ONE


def test_the_largest_batch_fits(adapters: Adapters) -> None:
    longest = sorted(leaf(f"{'o' * 59}{number:04d}", 999_999_999_999) for number in range(1000))
    state = fixed(EMPTY_LEDGER, [], *longest)

    assert adapters.ledger_register.advance(EMPTY_LEDGER, state)
    assert adapters.ledger_register.read() == state


def test_what_was_put_waits_until_it_is_cleared(adapters: Adapters) -> None:
    leaves = [leaf(org_id, size) for org_id in ("acme-corp", "globex", "_admin", "o" * 63) for size in (1, 20, 300)]
    for one in leaves:
        adapters.ledger_outbox.put(one)
    assert sorted(adapters.ledger_outbox.waiting()) == sorted(leaves)
    assert len(list(islice(adapters.ledger_outbox.waiting(), 5))) == 5

    adapters.ledger_outbox.clear(leaves[:4])
    adapters.ledger_outbox.clear(leaves[3:5])
    adapters.ledger_outbox.clear([])
    assert sorted(adapters.ledger_outbox.waiting()) == sorted(leaves[5:])


def test_put_again_it_waits_once(adapters: Adapters) -> None:
    one = leaf("acme-corp", 3)
    later = replace(one, published_ms=one.published_ms + 5_000)
    adapters.ledger_outbox.put(one)
    adapters.ledger_outbox.put(later)

    assert list(adapters.ledger_outbox.waiting()) == [later]


def test_more_than_a_page_waits(adapters: Adapters) -> None:
    """A page of a query has a megabyte at most."""
    leaves = [leaf("o" * 63, size) for size in range(1, 5001)]
    for one in leaves:
        adapters.ledger_outbox.put(one)

    assert sorted(adapters.ledger_outbox.waiting()) == leaves


def test_a_round_is_remembered_by_its_beginning(adapters: Adapters) -> None:
    assert adapters.starts.last() is None
    for instant in (MIDNIGHT + 1, MIDNIGHT + 300_001):
        adapters.starts.begin(instant)
        assert adapters.starts.last() == instant


@pytest.mark.parametrize("adapters", ["aws on moto"], indirect=True)
@pytest.mark.parametrize("damage", [{"root": None}, {"batch": {"S": "one line of nothing"}}, {"tree_size": None}])
def test_a_register_that_cannot_be_read_is_to_be_rebuilt(
    adapters: Adapters, damage: dict[str, dict[str, str] | None]
) -> None:
    dynamodb, table = adapters.repair._client, adapters.repair._table  # type: ignore[attr-defined]
    assert adapters.ledger_register.advance(EMPTY_LEDGER, ONE)
    stored = dynamodb.get_item(TableName=table, Key={"pk": {"S": "_ledger"}, "sk": {"S": "LOG"}})["Item"]
    dynamodb.put_item(TableName=table, Item={k: v for k, v in (stored | damage).items() if v is not None})

    with pytest.raises(HeadRegressed):
        adapters.ledger_register.read()
