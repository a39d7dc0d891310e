# SPDX-License-Identifier: Apache-2.0
"""AnchorFiles: which checkpoints of the ledger are recent, and what is stored about them."""

from __future__ import annotations

import pytest

from indelible.domain.anchors import AnchorFile
from indelible.domain.tiles import File
from tests.contracts.conftest import Adapters
from tests.fakes.machine import MIDNIGHT

LEDGER = "_ledger"
UNTIL = MIDNIGHT + 2555 * 86_400_000
LONG_AGO, NEVER_YET = 0, 1 << 42
SIZES = (1, 3, 9, 10, 255, 256, 257, 1000, 65537)
TOKEN = AnchorFile("token", "digi.example")
PENDING = AnchorFile("pending", "alice")
DONE = AnchorFile("bitcoin", "alice", 912_345)
SEEN = AnchorFile("cosignature", "witness.example_w1")


@pytest.fixture
def logged(adapters: Adapters) -> Adapters:
    notes = [File(f"checkpoints/{size:012d}", b"note %d" % size) for size in SIZES]
    adapters.files.write(LEDGER, notes, retain_until_ms=UNTIL)
    adapters.put_stranger("_ledger/_log/checkpoints/junk", b"")
    return adapters


def test_all_are_recent_when_nothing_is_old(logged: Adapters) -> None:
    for newest in (1, 10, 1000, 65537):
        found = logged.anchors.published(newest=newest, since_ms=LONG_AGO)
        assert [one.size for one in found] == list(SIZES)


@pytest.mark.parametrize(("newest", "expected"), [(65537, [65537]), (1000, [1000, 65537]), (257, [257, 1000, 65537])])
def test_the_newest_counts_however_old_it_is(logged: Adapters, newest: int, expected: list[int]) -> None:
    found = logged.anchors.published(newest=newest, since_ms=NEVER_YET)
    assert [one.size for one in found] == expected


def test_before_there_is_a_log_nothing_is_published(adapters: Adapters) -> None:
    assert list(adapters.anchors.published(newest=1, since_ms=LONG_AGO)) == []
    assert list(adapters.anchors.stored(at_least=0)) == []


def test_what_is_stored_is_found_by_size(logged: Adapters) -> None:
    logged.files.write(
        LEDGER,
        [File(one.path(size), b"x") for size in (3, 10) for one in (TOKEN, PENDING, SEEN)]
        + [File(DONE.path(3), b"x"), File("anchors/000000000010/notes.txt", b"x")],
        retain_until_ms=UNTIL,
    )
    logged.mark_deleted(f"_ledger/_log/{TOKEN.path(3)}")
    logged.put_over(f"_ledger/_log/{SEEN.path(10)}", b"newer")

    found = [(one.size, one.file) for one in logged.anchors.stored(at_least=0)]
    assert found == [(3, DONE), (3, PENDING), (3, TOKEN), (3, SEEN), (10, PENDING), (10, TOKEN), (10, SEEN)]
    assert [(one.size, one.file) for one in logged.anchors.stored(at_least=4)] == found[4:]
    assert [(one.size, one.file) for one in logged.anchors.stored(at_least=10)] == found[4:]
    assert list(logged.anchors.stored(at_least=11)) == []
