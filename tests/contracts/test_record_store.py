# SPDX-License-Identifier: Apache-2.0
"""RecordStore: write once, read the oldest, list everything in the order of keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice

import pytest

from indelible.domain import record
from indelible.domain.record import MAX_OBJECT_BYTES
from indelible.errors import EvidenceBroken
from indelible.ports import KeyVersions
from tests.contracts.conftest import Adapters
from tests.fakes.chains import ORG, build_chain

CHAIN = build_chain(5, step_ms=10 * 3600 * 1000)  # three days


def listed(adapters: Adapters, after: str = f"{ORG}/") -> list[KeyVersions]:
    return list(adapters.records.versions(ORG, after=after))


def test_a_sealed_record_is_there_as_it_was(adapters: Adapters) -> None:
    version_id = adapters.records.seal(CHAIN[0])

    stored = adapters.records.oldest(CHAIN[0].s3_key)

    assert stored is not None
    assert (stored.s3_key, stored.version_id) == (CHAIN[0].s3_key, version_id)
    assert stored.data == CHAIN[0].data
    assert stored.sha256 == CHAIN[0].tx_hash
    assert stored.lock is not None
    assert (stored.lock.mode, stored.lock.retain_until_ms) == (CHAIN[0].lock_mode, CHAIN[0].retain_until_ms)
    assert stored.shadows == ()


def test_sealing_again_changes_nothing_and_gives_the_same_version(adapters: Adapters) -> None:
    first = adapters.records.seal(CHAIN[0])

    assert adapters.records.seal(CHAIN[0]) == first
    assert [entry.versions for entry in listed(adapters)] == [(first,)]


def test_a_key_that_holds_something_else_is_evidence_of_trouble(adapters: Adapters) -> None:
    adapters.put_stranger(CHAIN[0].s3_key, b"something else")

    with pytest.raises(EvidenceBroken):
        adapters.records.seal(CHAIN[0])

    stored = adapters.records.oldest(CHAIN[0].s3_key)
    assert stored is not None
    assert stored.data == b"something else"


def test_the_same_bytes_without_the_lock_are_not_sealed(adapters: Adapters) -> None:
    adapters.put_stranger(CHAIN[0].s3_key, CHAIN[0].data)

    with pytest.raises(EvidenceBroken):
        adapters.records.seal(CHAIN[0])


def test_the_same_bytes_under_a_shorter_lock_are_not_sealed(adapters: Adapters) -> None:
    adapters.records.seal(CHAIN[0])
    longer = replace(CHAIN[0], retain_until_ms=CHAIN[0].retain_until_ms + 86_400_000)

    with pytest.raises((EvidenceBroken, AssertionError)):  # the fake sees first that the record is not its bytes
        adapters.records.seal(longer)


def test_nothing_there_is_none(adapters: Adapters) -> None:
    adapters.records.seal(CHAIN[0])

    assert adapters.records.oldest(CHAIN[1].s3_key) is None
    assert adapters.records.oldest(CHAIN[0].s3_key[:-1]) is None
    assert adapters.records.oldest(CHAIN[0].s3_key + "x") is None


def test_what_lies_over_a_record_does_not_hide_it(adapters: Adapters) -> None:
    version_id = adapters.records.seal(CHAIN[0])
    adapters.put_over(CHAIN[0].s3_key, b"newer")
    adapters.mark_deleted(CHAIN[0].s3_key)
    adapters.put_over(CHAIN[0].s3_key, b"newest")

    stored = adapters.records.oldest(CHAIN[0].s3_key)
    entries = listed(adapters)

    assert stored is not None
    assert (stored.version_id, stored.data) == (version_id, CHAIN[0].data)
    assert len(stored.shadows) == 3
    assert len(entries) == 1
    assert entries[0].versions[0] == version_id
    assert (len(entries[0].versions), len(entries[0].markers)) == (3, 1)
    assert entries[0].shadows == stored.shadows
    assert entries[0].shadows[2] == f"delete marker {entries[0].markers[0]}"


def test_a_delete_marker_alone_is_listed_and_has_no_content(adapters: Adapters) -> None:
    adapters.mark_deleted(CHAIN[0].s3_key)

    entries = listed(adapters)

    assert [(entry.s3_key, entry.versions, len(entry.markers)) for entry in entries] == [(CHAIN[0].s3_key, (), 1)]
    assert list(adapters.records.read_all(entries)) == [(entries[0], None)]
    assert adapters.records.oldest(CHAIN[0].s3_key) is None
    assert adapters.records.first_key_after(ORG, f"{ORG}/") == CHAIN[0].s3_key


def test_versions_come_in_the_order_of_keys_and_stop_before_the_underscore(adapters: Adapters) -> None:
    for entry in reversed(CHAIN):
        adapters.records.seal(entry)
    for key in (f"{ORG}/_log/checkpoint", f"{ORG}-2/2026/03/20/x.json", f"{ORG}/zzz", "_ledger/x", "aaa/x"):
        adapters.put_stranger(key, b"not a record of this organisation")

    assert [entry.s3_key for entry in listed(adapters)] == [entry.s3_key for entry in CHAIN]


def test_strangers_among_the_records_are_listed(adapters: Adapters) -> None:
    adapters.records.seal(CHAIN[0])
    stranger = f"{ORG}/2026/03/20/notes.txt"
    adapters.put_stranger(stranger, b"hello")

    assert [entry.s3_key for entry in listed(adapters)] == [CHAIN[0].s3_key, stranger]


@pytest.mark.parametrize("position", range(5))
def test_after_is_exclusive(adapters: Adapters, position: int) -> None:
    for entry in CHAIN:
        adapters.records.seal(entry)
    rest = [entry.s3_key for entry in CHAIN[position + 1 :]]

    assert [entry.s3_key for entry in listed(adapters, CHAIN[position].s3_key)] == rest
    assert [entry.s3_key for entry in listed(adapters, record.key_after(ORG, CHAIN[position].head))] == rest
    assert adapters.records.first_key_after(ORG, CHAIN[position].s3_key) == (rest[0] if rest else None)


def test_after_a_key_with_many_versions_comes_the_next_key(adapters: Adapters) -> None:
    for entry in CHAIN[:2]:
        adapters.records.seal(entry)
    for number in range(6):
        adapters.put_over(CHAIN[0].s3_key, b"%d" % number)

    assert adapters.records.first_key_after(ORG, f"{ORG}/") == CHAIN[0].s3_key
    assert adapters.records.first_key_after(ORG, CHAIN[0].s3_key) == CHAIN[1].s3_key
    assert [len(entry.versions) for entry in listed(adapters)] == [7, 1]


def test_first_key_after_skips_what_is_no_record(adapters: Adapters) -> None:
    adapters.records.seal(CHAIN[0])
    for name in ("0", "1", "2", "3", "4", "5"):
        adapters.put_stranger(f"{ORG}/2026/03/20/000000000000-{name}", b"x")

    assert adapters.records.first_key_after(ORG, f"{ORG}/") == CHAIN[0].s3_key
    assert adapters.records.first_key_after(ORG, CHAIN[0].s3_key) is None
    assert adapters.records.first_key_after("globex", "globex/") is None


def test_read_all_keeps_the_order_given(adapters: Adapters) -> None:
    for entry in CHAIN:
        adapters.records.seal(entry)
    backwards = listed(adapters)[::-1]

    read = list(adapters.records.read_all(backwards))

    assert [keys for keys, _ in read] == backwards
    assert [stored.data for _, stored in read if stored] == [entry.data for entry in reversed(CHAIN)]


def test_of_a_stranger_that_is_too_large_the_beginning_is_read(adapters: Adapters) -> None:
    sealed, data = CHAIN[0], bytes(MAX_OBJECT_BYTES) + b"and more"
    adapters.put_stranger(CHAIN[1].s3_key, data)
    adapters.put_over(CHAIN[1].s3_key, b"laid over it")
    adapters.records.seal(sealed)

    listed = list(adapters.records.versions(ORG, after=f"{ORG}/"))
    (_, small), (_, large) = adapters.records.read_all(listed)

    assert [keys.size for keys in listed] == [len(sealed.data), len(data)]
    assert small is not None
    assert large is not None
    assert (small.data, small.sha256) == (sealed.data, sealed.tx_hash)
    assert (large.data, large.sha256) == (data[: MAX_OBJECT_BYTES + 1], hashlib.sha256(data).hexdigest())


def test_read_all_takes_only_a_bounded_number_ahead(adapters: Adapters) -> None:
    adapters.records.seal(CHAIN[0])
    one = listed(adapters)[0]
    taken = count()

    def endless() -> Iterator[KeyVersions]:
        while next(taken) < 100_000:
            yield one

    reading = adapters.records.read_all(endless())
    assert [keys for keys, _ in islice(reading, 3)] == [one] * 3
    reading.close()  # type: ignore[attr-defined]

    assert next(taken) < 1000
