# SPDX-License-Identifier: Apache-2.0
"""Verify over ranges, over time, and over what is not sealed yet. What it finds in a whole chain: tests/vectors."""

from __future__ import annotations

from itertools import product

import pytest

from indelible.domain import instants
from indelible.services.ranges import Range
from indelible.services.verify import Verdict
from indelible.services.walk import PENDING_GRACE_MS
from tests.fakes.chains import ORG, build_chain
from tests.fakes.world import World
from tests.faults.stage import Stage
from tests.faults.wire import Wire

DAY = instants.DAY_MS


def three_days() -> World:
    """Twelve records, four a day, an hour apart from six in the morning."""
    world = World()
    appender = world.appender()
    world.clock.now = instants.from_text("2026-03-20T06:00:00Z")
    for number in range(1, 13):
        appender.append(world.submission(number))
        world.clock.advance(3_600_000 if number % 4 else DAY - 3 * 3_600_000)
    return world


def found(verdict: Verdict) -> list[tuple[str, int | None, int | None]]:
    return [(failure.code.value, failure.sequence, failure.through) for failure in verdict.failures]


def remove(world: World, *sequences: int) -> None:
    for sequence in sequences:
        world.administrator.remove(world.administrator.key_of(ORG, sequence))
        world.journal.waiting[ORG].pop(sequence, None)


def unsealed(world: World, count: int) -> None:
    """Commit records that the bucket does not get."""
    head = world.journal.head(ORG)
    chain = build_chain(count, head=head, start_ms=max(world.clock.now, head.timestamp_ms), step_ms=0)
    for start in range(0, count, 90):
        part = chain[start : start + 90]
        world.journal.commit(chain[start - 1].head if start else head, part, None, world.clock.now)


RANGES = [
    (start, end)
    for start, end in product([None, 1, 2, 4, 5, 8, 12], [None, 1, 4, 5, 9, 12])
    if (start or 1) <= (end or 12)
]


@pytest.mark.parametrize(("start", "end"), RANGES)
def test_every_range_of_a_true_chain_is_valid(start: int | None, end: int | None) -> None:
    verdict = three_days().verify(Range(start_seq=start, end_seq=end))

    assert (verdict.valid, verdict.complete, verdict.next_seq) == (True, True, None)
    assert verdict.entries_checked == (end or 12) - (start or 1) + 1
    assert verdict.head.sequence == 12


@pytest.mark.parametrize("broken", range(1, 13))
@pytest.mark.parametrize(("start", "end"), [(None, None), (1, 4), (5, 8), (6, 7), (9, None), (None, 9), (12, 12)])
def test_a_range_finds_what_is_rotten_in_it_and_only_that(start: int | None, end: int | None, broken: int) -> None:
    world = three_days()
    key = world.administrator.key_of(ORG, broken)
    world.administrator.rot(key, world.bucket.versions(key)[0].data.replace(b"AGENT", b"AGENS"))
    first, last = start or 1, end or 12

    verdict = world.verify(Range(start_seq=start, end_seq=end))

    expected = [("CONTENT_MISMATCH", broken, None)] * (1 + (broken == 12)) if first <= broken <= last else []
    if first <= broken + 1 <= last:
        expected.append(("BROKEN_LINK", broken + 1, None))
    assert found(verdict) == expected
    assert verdict.valid is (not expected)


@pytest.mark.parametrize("gone", range(1, 13))
@pytest.mark.parametrize(("start", "end"), [(None, None), (1, 4), (5, 8), (4, 5), (8, 8), (9, None), (1, 11)])
def test_a_range_finds_what_is_gone_in_it_and_at_its_edge(start: int | None, end: int | None, gone: int) -> None:
    world = three_days()
    remove(world, gone)
    first, last = start or 1, end or 12

    verdict = world.verify(Range(start_seq=start, end_seq=end))

    if first - 1 <= gone <= last:
        assert found(verdict) == [("TRUNCATED" if gone == 12 else "MISSING", gone, None)]
        assert verdict.first_broken_at == gone
    else:
        assert found(verdict) == []


@pytest.mark.parametrize(
    ("from_", "to", "expected"),
    [
        (None, None, range(1, 13)),
        ("2026-03-20T06:00:00Z", None, range(1, 13)),
        ("2026-03-20T06:00:00.001Z", None, range(2, 13)),
        ("2026-03-21T00:00:00Z", "2026-03-21T23:59:59.999Z", range(5, 9)),
        ("2026-03-21T07:00:00Z", "2026-03-21T08:00:00Z", range(6, 8)),
        ("2026-03-21T06:30:00Z", "2026-03-21T06:59:00Z", range(0)),
        ("2026-03-20T09:00:00Z", "2026-03-21T06:00:00Z", range(4, 6)),
        (None, "2026-03-20T05:59:59.999Z", range(0)),
        (None, "2026-03-20T06:00:00Z", range(1, 2)),
        ("2026-03-22T09:00:00Z", None, range(12, 13)),
        ("2026-03-22T09:00:00.001Z", None, range(0)),
        ("2030-01-01T00:00:00Z", None, range(0)),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", range(1, 13)),
        ("9999-12-31T23:59:59.999Z", None, range(0)),
    ],
)
def test_ranges_of_time(from_: str | None, to: str | None, expected: range) -> None:
    asked = Range(from_ms=instants.from_text(from_) if from_ else None, to_ms=instants.from_text(to) if to else None)

    verdict = three_days().verify(asked)

    assert (verdict.valid, verdict.complete) == (True, True), found(verdict)
    assert verdict.entries_checked == len(expected)


def test_a_range_of_time_sees_what_was_cut_off_its_end() -> None:
    world = three_days()
    remove(world, 11, 12)

    verdict = world.verify(Range(from_ms=instants.from_text("2026-03-22T00:00:00Z")))

    assert found(verdict) == [("TRUNCATED", 11, 12)]


def test_a_whole_day_cut_off_is_seen_by_who_asks_for_that_day() -> None:
    world = three_days()
    remove(world, 9, 10, 11, 12)

    verdict = world.verify(Range(from_ms=instants.from_text("2026-03-22T00:00:00Z")))

    assert verdict.valid is False


def test_a_gap_before_the_next_day_is_missing_to_who_asks_for_the_day_before() -> None:
    world = three_days()
    remove(world, 8)

    verdict = world.verify(Range(to_ms=instants.from_text("2026-03-21T23:59:59.999Z")))

    assert found(verdict) == [("MISSING", 8, None)]


def test_what_lacks_at_the_end_of_a_range_is_missing_even_where_the_head_is_older() -> None:
    """The table went back; the bucket shows that the chain goes on, so the gap needs nobody's promise."""
    world = three_days()
    remove(world, 5)
    world.administrator.set_head(ORG, world.sealed()[2].head)

    assert found(world.verify(Range(start_seq=2, end_seq=5))) == [("MISSING", 5, None)]


def test_an_empty_organisation_is_valid() -> None:
    verdict = World().verify()

    assert (verdict.valid, verdict.entries_checked, verdict.complete) == (True, 0, True)


def test_when_the_time_is_over_it_says_where_to_go_on_and_going_on_covers_everything() -> None:
    world = three_days()
    key = world.administrator.key_of(ORG, 9)
    world.administrator.set_lock(key, None)
    start, seen, valid = 1, 0, []
    for _ in range(20):
        verdict = world.verifier().verify(ORG, Range(start_seq=start), deadline_ms=world.clock.now)
        valid.append(verdict.valid)
        seen += verdict.entries_checked
        if verdict.complete:
            break
        assert verdict.next_seq is not None
        assert verdict.next_seq > start, "no progress"
        start = verdict.next_seq
    assert seen == 12
    assert (valid.count(False), valid[-1]) == (1, True)


def test_a_record_in_the_outbox_is_pending_not_missing() -> None:
    world = three_days()
    unsealed(world, 2)

    verdict = world.verify()

    assert (verdict.valid, verdict.pending, verdict.entries_checked) == (True, [13, 14], 12)


def test_a_pending_record_in_the_middle_keeps_its_place() -> None:
    world = three_days()
    unsealed(world, 1)
    world.record(99)

    verdict = world.verify()

    assert (verdict.valid, verdict.pending, verdict.entries_checked) == (True, [13], 13)
    assert world.verify(Range(start_seq=14)).valid is True, "its predecessor waits in the outbox"
    assert world.verify(Range(start_seq=13, end_seq=13)).pending == [13]


def test_nothing_is_pending_for_longer_than_a_quarter_of_an_hour() -> None:
    world = three_days()
    unsealed(world, 1)
    world.clock.now = world.journal.head(ORG).timestamp_ms + PENDING_GRACE_MS

    assert world.verify().valid is True
    world.clock.advance(1)
    assert found(world.verify()) == [("TRUNCATED", 13, None)]


@pytest.mark.parametrize("count", [99, 100, 101, 250])
def test_an_outage_of_the_bucket_leaves_many_pending_and_none_missing(count: int) -> None:
    world = World()
    unsealed(world, count)

    verdict = world.verify()

    assert found(verdict) == []
    assert (verdict.valid, len(verdict.pending)) == (True, count)


def test_the_outbox_cannot_explain_away_what_the_head_does_not_promise() -> None:
    """A record that was sealed, then removed with its outbox entry left: pending for a while, then missing."""
    world = three_days()
    world.administrator.remove(world.administrator.key_of(ORG, 3))

    assert found(world.verify()) == [("MISSING", 3, None)], "its time was long ago"


def test_a_record_sealed_while_verify_walks_is_neither_missing_nor_pending() -> None:
    """The anchor seals and clears it between the listing and the look at the outbox."""
    world, stage = three_days(), Stage()
    unsealed(world, 1)
    wire = Wire(gate=stage.gate("verify"))
    verifier = world.verifier(wire)
    for calls in range(12):
        played = stage.play(
            {
                "verify": lambda: verifier.verify(ORG, Range(), deadline_ms=world.clock.now + 60_000),
                "anchor": lambda: world.anchor().run(ORG, deadline_ms=world.clock.now + 60_000),
            },
            [("verify", calls), ("anchor", None)],
        )
        assert found(played["verify"]) == [], f"the anchor ran after call {calls}"
        unsealed(world, 1)
