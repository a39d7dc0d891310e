# SPDX-License-Identifier: Apache-2.0
"""Bisection finds what walking the whole list finds, with a bounded number of listings."""

from __future__ import annotations

import random

import pytest

from indelible.domain import audit_id, instants
from indelible.domain.audit_id import MAX_SEQUENCE
from indelible.domain.record import EMPTY_CHAIN, Record, tx_hash
from indelible.services.locate import Locator
from tests.fakes.chains import ORG, build_chain, stored
from tests.fakes.machine import MIDNIGHT
from tests.fakes.records import FakeRecords
from tests.faults.wire import Wire


def bursts(seed: int, count: int) -> list[Record]:
    """Bursts and pauses: many in one millisecond, some over years."""
    chance = random.Random(seed)
    chain: list[Record] = []
    now_ms = MIDNIGHT
    while len(chain) < count:
        now_ms += chance.choice(
            [0, 0, 1, 1000, 3_600_000, instants.DAY_MS, 40 * instants.DAY_MS, 700 * instants.DAY_MS]
        )
        head = chain[-1].head if chain else EMPTY_CHAIN
        chain += build_chain(chance.choice([1, 1, 5, 9]), head=head, start_ms=now_ms, step_ms=0, seed=len(chain))
    return chain[:count]


@pytest.mark.parametrize("seed", range(6))
def test_every_sequence_is_found(seed: int) -> None:
    chain = bursts(seed, 60)
    store = stored(chain)
    locator = Locator(store, ORG)
    now_ms = chain[-1].timestamp_ms + seed * instants.DAY_MS

    for entry in chain:
        after = locator.key_before(entry.sequence, now_ms)
        assert next(store.versions(ORG, after=after)).s3_key == entry.s3_key
    assert list(store.versions(ORG, after=locator.key_before(61, now_ms))) == []


@pytest.mark.parametrize("seed", range(6))
def test_every_instant_is_found(seed: int) -> None:
    chain = bursts(seed, 60)
    locator = Locator(stored(chain), ORG)
    instants_of_interest = {entry.timestamp_ms + off for entry in chain for off in (-instants.DAY_MS, -1, 0, 1)}

    for instant in instants_of_interest:
        expected = next((entry.sequence for entry in chain if entry.timestamp_ms >= instant), None)
        found = locator.first_at_or_after(instant)
        assert (found.sequence if found else None) == expected
        assert locator.first_after(instant - 1) == found


def test_nothing_is_later_than_the_last_instant_that_has_a_text() -> None:
    assert Locator(stored(build_chain(3)), ORG).first_after(instants.MAX_MS) is None


@pytest.mark.parametrize("seed", range(3))
def test_with_records_missing_it_finds_what_follows(seed: int) -> None:
    chain = bursts(seed, 40)
    left = [entry for entry in chain if entry.sequence % 7 and entry.sequence != 1]
    store = stored(left)
    locator = Locator(store, ORG)

    for entry in chain:
        after = locator.key_before(entry.sequence, chain[-1].timestamp_ms)
        expected = next((other.s3_key for other in left if other.sequence >= entry.sequence), None)
        found = next(store.versions(ORG, after=after), None)
        assert (found.s3_key if found else None) == expected
        first = locator.first_at_or_after(entry.timestamp_ms)
        by_time = next((other.sequence for other in left if other.timestamp_ms >= entry.timestamp_ms), None)
        assert (first.sequence if first else None) == by_time


def test_an_empty_bucket_has_nothing_to_find() -> None:
    locator = Locator(FakeRecords(), ORG)

    assert locator.first_at_or_after(MIDNIGHT) is None
    assert locator.key_before(5, MIDNIGHT) == f"{ORG}/"


def test_a_year_is_searched_with_a_handful_of_listings() -> None:
    chain = build_chain(365, step_ms=instants.DAY_MS)
    wire = Wire()
    locator = Locator(wire.to("records", stored(chain)), ORG)

    locator.key_before(200, chain[-1].timestamp_ms)
    assert len(wire.calls) <= 12
    wire.calls.clear()
    locator.first_at_or_after(chain[200].timestamp_ms + 1)
    assert len(wire.calls) <= 4


def keyed(day: str, sequence: int, timestamp_ms: int) -> str:
    """A key that anybody who may write can make; what it says need not be true."""
    return f"{ORG}/{day}/{sequence:012d}-{audit_id.encode(timestamp_ms, sequence, 1)}.json"


@pytest.mark.parametrize(
    "later", [[], ["2026/03/21", 7], ["2026/03/21", MAX_SEQUENCE]], ids=["nothing", "a record", "the last one of all"]
)
def test_the_last_sequence_of_all_ends_the_search_of_a_day(later: list[object]) -> None:
    store = FakeRecords()
    store.bucket.push(keyed("2026/03/20", MAX_SEQUENCE, MIDNIGHT), b"{}", tx_hash(b"{}"), None)
    expected = None
    if later:
        expected = keyed(str(later[0]), int(str(later[1])), MIDNIGHT + instants.DAY_MS)
        store.bucket.push(expected, b"{}", tx_hash(b"{}"), None)
    wire = Wire()

    found = Locator(wire.to("records", store), ORG).first_at_or_after(MIDNIGHT + 1)

    assert (found and found.sequence) == (later[1] if later else None)
    assert len(wire.calls) <= 50


def test_keys_that_all_claim_to_be_earlier_end_the_search_too() -> None:
    store = FakeRecords()
    for day in ("2026/03/20", "2026/03/21"):
        store.bucket.push(keyed(day, 1, MIDNIGHT), b"{}", tx_hash(b"{}"), None)
    wire = Wire()

    Locator(wire.to("records", store), ORG).first_at_or_after(MIDNIGHT + 1)

    assert len(wire.calls) <= 100


@pytest.mark.parametrize("day", ["9999/12/31", "0001/01/01"])
def test_the_first_and_the_last_day_that_there_are(day: str) -> None:
    store = FakeRecords()
    store.bucket.push(keyed(day, 1, MIDNIGHT), b"{}", tx_hash(b"{}"), None)
    locator = Locator(store, ORG)

    assert [keys.s3_key for keys in store.versions(ORG, after=locator.key_before(1, MIDNIGHT))] == [
        keyed(day, 1, MIDNIGHT)
    ]
    assert locator.key_before(2, MIDNIGHT).startswith(f"{ORG}/")
    for instant in (instants.MIN_MS, instants.MAX_MS):
        locator.first_at_or_after(instant)
