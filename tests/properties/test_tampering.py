# SPDX-License-Identifier: Apache-2.0
"""Whatever is done to the stored objects of a chain, the checker notices."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from hypothesis import assume, example, given
from hypothesis import strategies as st

from indelible.domain.findings import StoredObject
from indelible.domain.record import Head
from tests.fakes.chains import build_chain, check, stored, stored_objects

CHAIN = build_chain(6, step_ms=6 * 3600 * 1000)  # two days
HEAD = CHAIN[-1].head
HONEST = stored_objects(stored(CHAIN))


@st.composite
def one_byte_off(draw: st.DrawFn) -> tuple[int, bytes]:
    """A position in the chain, and the bytes there with one changed, inserted or deleted."""
    position = draw(st.integers(0, len(CHAIN) - 1))
    data = CHAIN[position].data
    kind = draw(st.sampled_from(["change", "insert", "delete"]))
    # Half of them near the end, where the members stand that verifiers read.
    at = draw(st.integers(0, len(data) - 1) | st.integers(len(data) - 450, len(data) - 1))
    byte = bytes([draw(st.integers(0, 255))])
    cut = at if kind == "insert" else at + 1
    changed = data[:at] + (b"" if kind == "delete" else byte) + data[cut:]
    assume(changed != data)
    return position, changed


def seen_with(position: int, stored_object: StoredObject) -> list[StoredObject]:
    return [*HONEST[:position], stored_object, *HONEST[position + 1 :]]


def test_the_honest_chain_is_valid() -> None:
    assert check(HONEST, head=HEAD).failures == []
    assert check(HONEST).failures == []


NO_TEXT = (0, CHAIN[0].data.replace(b'"indelible/', b'"\x80ndelible/'))
"""A bit rotted where it leaves no UTF-8 behind."""


@given(one_byte_off())
@example(NO_TEXT)
def test_one_byte_is_noticed_by_the_stored_checksum_alone(mutation: tuple[int, bytes]) -> None:
    position, data = mutation
    rotten = replace(HONEST[position], data=data)

    checker = check([rotten], start=position + 1)

    assert any(failure.sequence == position + 1 for failure in checker.failures)


@given(one_byte_off())
@example(NO_TEXT)
def test_one_byte_is_noticed_by_links_and_head_alone(mutation: tuple[int, bytes]) -> None:
    position, data = mutation
    unwatched = [replace(stored_object, stored_sha256=None) for stored_object in HONEST]
    unwatched[position] = replace(unwatched[position], data=data)

    checker = check(unwatched, head=HEAD)

    assert checker.failures
    assert checker.first_broken_at in (position + 1, position + 2)


@given(st.sets(st.integers(0, len(CHAIN) - 1), min_size=1))
def test_every_removal_is_noticed_and_named(gone: set[int]) -> None:
    left = [stored_object for position, stored_object in enumerate(HONEST) if position not in gone]

    checker = check(left, head=HEAD)

    named = {n for f in checker.failures for n in range(f.sequence or 0, (f.through or f.sequence or 0) + 1)}
    assert named == {position + 1 for position in gone}
    assert {failure.code.value for failure in checker.failures} <= {"MISSING", "TRUNCATED"}
    assert checker.first_broken_at == min(gone) + 1


def test_every_order_but_the_right_one_is_noticed_wherever_the_bytes_lie() -> None:
    for order in permutations(range(len(CHAIN))):
        moved = [
            replace(HONEST[to], data=CHAIN[source].data, stored_sha256=CHAIN[source].tx_hash)
            for to, source in enumerate(order)
        ]
        checker = check(moved, head=HEAD)
        wrong = {to + 1 for to, source in enumerate(order) if to != source}
        assert wrong <= {failure.sequence for failure in checker.failures}, order
        assert bool(wrong) == bool(checker.failures), order


@given(st.integers(1, len(CHAIN)), st.integers(0, 2**32), st.integers(-3, 3))
def test_every_inserted_record_is_noticed(sequence: int, seed: int, days: int) -> None:
    """Well formed, well linked, well locked, of any date: one too many."""
    before = CHAIN[sequence - 2].head if sequence > 1 else Head(0, "GENESIS", 0)
    at_ms = max(before.timestamp_ms, CHAIN[sequence - 1].timestamp_ms + days * 86_400_000)
    forged = build_chain(1, head=before, start_ms=at_ms, seed=seed)[0]
    assume(forged.tx_hash != CHAIN[sequence - 1].tx_hash)
    store = stored(CHAIN)
    store.seal(forged)

    checker = check(stored_objects(store), head=HEAD)

    assert any(f.code.value == "FORK" and f.sequence == sequence for f in checker.failures)


@given(st.integers(0, len(CHAIN) - 1), st.integers(1, 10**12))
def test_every_weaker_lock_is_noticed(position: int, shorter_ms: int) -> None:
    honest = HONEST[position]
    assert honest.lock is not None
    weaker = replace(honest, lock=replace(honest.lock, retain_until_ms=honest.lock.retain_until_ms - shorter_ms))

    checker = check(seen_with(position, weaker), head=HEAD)

    assert [(failure.code.value, failure.sequence) for failure in checker.failures] == [("UNLOCKED", position + 1)]
