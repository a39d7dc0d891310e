# SPDX-License-Identifier: Apache-2.0
"""Bisection finds what walking the whole list finds, with a bounded number of listings."""

from __future__ import annotations

import random

import pytest

from indelible.domain import instants
from indelible.domain.record import EMPTY_CHAIN, Record
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
