# SPDX-License-Identifier: Apache-2.0
"""The checker where it starts, where it ends, and where there is too much to say. What it finds: tests/vectors."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indelible.domain import findings
from indelible.domain.chain import ChainChecker
from indelible.domain.findings import ExpectedHash, StoredObject
from indelible.domain.record import EMPTY_CHAIN, MAX_OBJECT_BYTES
from tests.fakes.chains import ORG, build_chain, check, stored, stored_objects

CHAIN = build_chain(6)
SEEN = stored_objects(stored(CHAIN))
HEAD = CHAIN[-1].head


def found(checker: ChainChecker) -> list[tuple[str, int | None]]:
    return [(failure.code.value, failure.sequence) for failure in checker.failures]


def from_the_fourth(*, before: bytes | None = None, seen: list[StoredObject] | None = None) -> ChainChecker:
    checker = ChainChecker(ORG, start=4)
    if before is not None:
        checker.precede(before)
    for stored_object in SEEN[3:] if seen is None else seen:
        checker.observe(stored_object)
    checker.finish()
    return checker


def test_nothing_at_all_is_a_valid_chain_unless_somebody_promised_more() -> None:
    assert found(check([])) == []
    assert found(check([], head=HEAD)) == [("TRUNCATED", 1)]
    assert check([], head=HEAD).failures[0].through == 6


def test_a_range_hangs_on_its_predecessor() -> None:
    assert found(from_the_fourth(before=CHAIN[2].data)) == []
    assert found(from_the_fourth(before=CHAIN[1].data)) == [("BROKEN_LINK", 4)]
    assert found(from_the_fourth()) == [], "without one, the first link is not checked"


def test_a_range_hangs_on_either_record_of_a_fork_before_it() -> None:
    rival = build_chain(1, head=CHAIN[1].head, seed=4)[0]
    checker = ChainChecker(ORG, start=4)
    checker.precede(rival.data)
    checker.precede(CHAIN[2].data)
    checker.observe(SEEN[3])

    assert found(checker) == []


def test_a_predecessor_that_cannot_be_read_still_links_by_its_hash() -> None:
    assert found(from_the_fourth(before=b"rubbish")) == [("BROKEN_LINK", 4)]


def test_a_predecessor_that_is_nowhere_is_missing() -> None:
    checker = ChainChecker(ORG, start=4)
    assert checker.lacks_predecessor
    checker.miss_predecessor()

    assert found(checker) == [("MISSING", 3)]
    assert checker.first_broken_at == 3
    assert not ChainChecker(ORG).lacks_predecessor, "the first record needs none"


def test_time_is_held_against_the_predecessor_too() -> None:
    late = replace(CHAIN[2].head, timestamp_ms=CHAIN[3].timestamp_ms + 1)
    checker = ChainChecker.following(ORG, late)
    checker.observe(SEEN[3])

    assert found(checker) == [("TIME_REVERSED", 4)]


def test_following_goes_on_where_another_stopped() -> None:
    checker = ChainChecker.following(ORG, CHAIN[2].head)
    assert checker.next_sequence == 4
    observed = [checker.observe(stored_object) for stored_object in SEEN[3:]]

    assert found(checker) == []
    assert observed == CHAIN[3:]
    assert ChainChecker.following(ORG, EMPTY_CHAIN).next_sequence == 1


def test_following_the_wrong_record_is_a_broken_link() -> None:
    checker = ChainChecker.following(ORG, replace(CHAIN[2].head, tx_hash="ab" * 32))
    checker.observe(SEEN[3])

    assert found(checker) == [("BROKEN_LINK", 4)]


def test_a_first_record_must_not_follow_the_empty_chain_with_a_predecessor() -> None:
    forged = build_chain(1, head=replace(EMPTY_CHAIN, tx_hash="ab" * 32))
    checker = ChainChecker.following(ORG, EMPTY_CHAIN)
    for stored_object in stored_objects(stored(forged)):
        checker.observe(stored_object)

    assert found(checker) == [("BROKEN_LINK", 1)]


def expecting(*hashes: ExpectedHash, start: int = 1) -> ChainChecker:
    checker = ChainChecker(ORG, start=start)
    for one in hashes:
        checker.expect(one)
    return checker


@pytest.mark.parametrize(
    ("last", "expected"),
    [(None, [("TRUNCATED", 4)]), (6, [("TRUNCATED", 4)]), (5, [("TRUNCATED", 4)]), (3, []), (1, [])],
)
def test_a_range_that_ends_early_is_not_truncated(last: int | None, expected: list[tuple[str, int]]) -> None:
    checker = expecting(ExpectedHash(6, HEAD.tx_hash, "the head"))
    for stored_object in SEEN[:3]:
        checker.observe(stored_object)
    checker.finish(last)

    assert found(checker) == expected
    if expected:
        assert checker.failures[0].through == min(last or 6, 6)


def test_a_promise_before_the_range_says_nothing_about_it() -> None:
    checker = expecting(ExpectedHash(2, CHAIN[1].tx_hash, "a receipt"), start=4)
    checker.finish()

    assert found(checker) == []


def test_every_promise_counts() -> None:
    checker = expecting(
        ExpectedHash(2, "ab" * 32, "a receipt"),
        ExpectedHash(4, CHAIN[3].tx_hash, "a checkpoint"),
        ExpectedHash(9, "cd" * 32, "another receipt"),
    )
    for stored_object in SEEN:
        checker.observe(stored_object)
    checker.finish()

    assert found(checker) == [("CONTENT_MISMATCH", 2), ("TRUNCATED", 7)]
    assert "a receipt" in checker.failures[0].detail
    assert "another receipt" in checker.failures[1].detail
    assert (checker.failures[1].sequence, checker.failures[1].through) == (7, 9)


def test_several_promises_for_one_record_all_count_and_those_that_agree_are_one_failure() -> None:
    """A right checkpoint does not outweigh a wrong head: the next record would be built on the head."""
    right, wrong = CHAIN[5].tx_hash, "ab" * 32
    checker = expecting(
        ExpectedHash(6, wrong, "the table's head"),
        ExpectedHash(6, right, "the checkpoint"),
        ExpectedHash(6, wrong, "a receipt"),
    )
    for stored_object in SEEN:
        checker.observe(stored_object)

    assert found(checker) == [("CONTENT_MISMATCH", 6)]
    assert checker.failures[0].detail == "the table's head and a receipt name another hash for this sequence"


def test_pending_records_keep_their_place() -> None:
    checker = expecting(ExpectedHash(6, HEAD.tx_hash, "the head"))
    for stored_object in SEEN[:2]:
        checker.observe(stored_object)
    checker.observe_pending(CHAIN[2])
    checker.observe(SEEN[3])
    checker.observe_pending(CHAIN[4])
    checker.observe_pending(CHAIN[5])
    checker.finish()

    assert found(checker) == []
    assert checker.pending == [3, 5, 6]
    assert checker.entries_checked == 3


def test_a_pending_record_must_fit_too() -> None:
    checker = ChainChecker(ORG)
    checker.observe(SEEN[0])
    checker.observe_pending(CHAIN[2])

    assert found(checker) == [("MISSING", 2)]


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"rubbish", "UNKNOWN_FORMAT"), (CHAIN[3].data, "CONTENT_MISMATCH"), (b"", "UNKNOWN_FORMAT")],
)
def test_what_waits_must_be_the_record(data: bytes, code: str) -> None:
    checker = ChainChecker(ORG)

    assert checker.read_pending(3, data) is None
    assert found(checker) == [(code, 3)]
    assert checker.read_pending(3, CHAIN[2].data) == CHAIN[2]


@pytest.mark.parametrize(
    ("stored_sha256", "expected"),
    [(CHAIN[2].tx_hash, [("UNKNOWN_FORMAT", 3)]), (None, [("UNKNOWN_FORMAT", 3), ("BROKEN_LINK", 4)])],
    ids=["with a checksum in the store", "without"],
)
def test_an_object_that_is_too_large_is_called_so(
    stored_sha256: str | None, expected: list[tuple[str, int | None]]
) -> None:
    """Of which only the beginning was read: it has not the checksum of the whole, and that is no finding."""
    large = replace(SEEN[2], data=bytes(MAX_OBJECT_BYTES + 1), stored_sha256=stored_sha256)
    checker = ChainChecker(ORG)
    for stored_object in [*SEEN[:2], large, *SEEN[3:]]:
        checker.observe(stored_object)

    assert found(checker) == expected
    assert "more than 16,777,216 bytes" in checker.failures[0].detail


def test_without_locks_none_is_missed() -> None:
    checker = ChainChecker(ORG, locks=False)
    for stored_object in SEEN:
        checker.observe(replace(stored_object, lock=None))

    assert found(checker) == []
    assert found(check([replace(stored_object, lock=None) for stored_object in SEEN])) == [
        ("UNLOCKED", n) for n in range(1, 7)
    ]


def test_another_organisation_s_key_is_a_stranger() -> None:
    stranger = stored_objects(stored(build_chain(1, org_id="globex")), "globex")[0]
    checker = check([stranger])

    assert found(checker) == [("UNKNOWN_FORMAT", None)]
    assert checker.failures[0].s3_key == stranger.s3_key
    assert checker.first_broken_at is None
    assert checker.entries_checked == 0


def test_findings_say_where_and_what() -> None:
    rotten = replace(SEEN[1], data=SEEN[1].data.replace(b'"number":2', b'"number":3') if SEEN[1].data else b"")
    failure = check([SEEN[0], rotten, *SEEN[2:]]).failures[0]

    assert (failure.s3_key, failure.version_id) == (CHAIN[1].s3_key, SEEN[1].version_id)
    assert failure.expected == CHAIN[1].tx_hash
    assert failure.found != failure.expected
    assert failure.through is None


def test_the_list_is_bounded_and_the_count_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "MAX_FAILURES", 4)
    unlocked = [replace(stored_object, lock=None) for stored_object in SEEN]

    checker = check(unlocked)

    assert found(checker) == [("UNLOCKED", n) for n in range(1, 5)]
    assert checker.failures_total == 6


def test_the_first_failure_of_each_kind_is_listed_whatever_floods_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks whether there is anything but this one kind must be able to see it."""
    monkeypatch.setattr(findings, "MAX_FAILURES", 3)
    unlocked = [replace(stored_object, lock=None) for stored_object in SEEN]
    unlocked[4] = replace(unlocked[4], stored_sha256="ab" * 32)

    checker = check(unlocked)

    assert found(checker) == [("UNLOCKED", 1), ("UNLOCKED", 2), ("CONTENT_MISMATCH", 5)]
    assert checker.failures_total == 7


def test_the_first_broken_is_the_lowest_not_the_first_found() -> None:
    fork = build_chain(1, head=CHAIN[0].head, start_ms=CHAIN[-1].timestamp_ms + 86_400_000, seed=3)
    store = stored([*CHAIN, *fork])
    seen = stored_objects(store)
    seen[4] = replace(seen[4], lock=None)

    checker = check(seen)

    assert found(checker) == [("UNLOCKED", 5), ("FORK", 2)]
    assert checker.first_broken_at == 2


def test_a_record_put_ahead_of_its_place_is_noticed() -> None:
    """Dated a day early, so that it is listed long before its rival. That it is one too many, the checker says; it also
    calls those between them missing and forked, because it goes by the order of keys and keeps nothing."""
    two_days = build_chain(6, step_ms=8 * 3600 * 1000)
    early = build_chain(1, head=replace(two_days[4].head, timestamp_ms=two_days[1].timestamp_ms), seed=3)[0]
    assert two_days[2].s3_key < early.s3_key < two_days[3].s3_key

    checker = check(stored_objects(stored([*two_days, early])), head=two_days[-1].head)

    assert ("FORK", 6) in found(checker)
    assert checker.first_broken_at is not None
