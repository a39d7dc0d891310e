# SPDX-License-Identifier: Apache-2.0
"""What goes into a bundle, that it is always the same, and that nothing wrong is smoothed over."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from indelible.domain import record
from indelible.domain.bundle import Manifest
from indelible.domain.receipt import Receipt
from indelible.errors import NotFound, Unavailable
from indelible.services import export_page
from indelible.services.export import Bundle, Exporter
from indelible.services.export_anchors import Anchored
from indelible.services.ranges import Range
from tests.fakes.chains import ORG
from tests.fakes.log import LEDGER_NAME
from tests.fakes.unpacked import MemoryScratch, Unpacked
from tests.fakes.world import World

SIZES = (5, 12, 300, 310)


def exporter(
    world: World, scratch: MemoryScratch | None = None, *, anchored: Anchored = lambda _: iter(())
) -> Exporter:
    return Exporter(
        records=world.records,
        files=world.files,
        log=world.log(),
        ledger_name=LEDGER_NAME,
        scratch=scratch or MemoryScratch(),
        clock=world.clock,
        anchored=anchored,
    )


def exported(world: World, *asked: int | None, scratch: MemoryScratch | None = None) -> Bundle:
    start, end = asked or (None, None)
    return exporter(world, scratch).bundle(ORG, Range(start_seq=start, end_seq=end))


def unpacked(world: World, *asked: int | None) -> Unpacked:
    return Unpacked.of(exported(world, *asked))


@pytest.fixture(scope="module")
def long() -> World:
    """315 records, checkpoints at SIZES, the last five not covered yet."""
    world = World()
    start = 0
    for size in (*SIZES, 315):
        world.record(*range(start + 1, size + 1))
        start = size
        if size in SIZES:
            world.anchored()
    return world


@pytest.fixture
def small() -> World:
    world = World()
    world.record(1, 2, 3, 4, 5)
    world.anchored()
    return world


def test_the_whole_chain(small: World) -> None:
    found = unpacked(small)
    assert [hashlib.sha256(line).hexdigest() for line in found.records] == [one.tx_hash for one in small.sealed()]
    assert list(found.files) == [
        "manifest.json",
        "README.txt",
        "records.jsonl",
        "receipts.jsonl",
        "keys/0001",
        "log/checkpoints/000000000005",
        "log/tile/0/000.p/5",
        "log/tile/entries/000.p/5",
        "evidence.html",
    ]
    note = small.files.read(ORG, "checkpoints/000000000005")
    assert found.files["log/checkpoints/000000000005"] == note
    manifest = Manifest.parse(found.files["manifest.json"])
    assert (manifest.ledger_name, manifest.org_id, manifest.records) == (LEDGER_NAME, ORG, 5)
    assert (manifest.first_sequence, manifest.last_sequence) == (1, 5)
    assert manifest.head is not None
    assert manifest.head.tx_hash == small.sealed()[-1].tx_hash
    assert manifest.checkpoint is not None
    assert (manifest.checkpoint.size, manifest.checkpoint.sha256) == (5, hashlib.sha256(note or b"").hexdigest())
    assert manifest.exported.valid


def test_receipts_are_those_that_were_given() -> None:
    world = World()
    given = world.record(1, 2, 3)
    assert [Receipt(**line) for line in unpacked(world).receipts] == given


def test_a_range_in_the_middle(long: World) -> None:
    found = unpacked(long, 7, 40)
    assert (found.manifest["first_sequence"], found.manifest["last_sequence"]) == (7, 40)
    assert [record.read(line).sequence for line in found.records] == list(range(7, 41))
    assert record.read(found.files["predecessor.json"]).sequence == 6
    assert [path for path in found.files if path.startswith("log/checkpoints/")] == [
        "log/checkpoints/000000000012",
        "log/checkpoints/000000000300",
    ]
    assert "log/tile/entries/000.p/12" in found.files, "the tree before the range"
    assert {"log/tile/entries/000", "log/tile/entries/001.p/44"} <= set(found.files), "the leaves after it"


def test_records_that_no_checkpoint_covers_yet(long: World) -> None:
    found = unpacked(long, 309, None)
    assert found.manifest["last_sequence"] == 315
    assert found.manifest["checkpoint"]["size"] == 310
    found = unpacked(long, 312, 313)
    assert found.manifest["checkpoint"] is None
    assert not [path for path in found.files if path.startswith("log/")]
    assert b"No signed checkpoint covers" in found.files["README.txt"]


def test_by_time(long: World) -> None:
    sealed = long.sealed()
    asked = Range(from_ms=sealed[10].timestamp_ms, to_ms=sealed[-1].timestamp_ms)
    found = Unpacked.of(exporter(long).bundle(ORG, asked))
    first = next(one for one in sealed if one.timestamp_ms >= sealed[10].timestamp_ms)
    assert (found.manifest["first_sequence"], found.manifest["last_sequence"]) == (first.sequence, 315)


def test_twice_is_the_same_whatever_was_added_since(long: World) -> None:
    once = b"".join(exported(long, 3, 200).pieces())
    world = World()
    world.record(*range(1, 6))
    world.anchored()
    world.record(*range(6, 13))
    world.anchored()
    before = b"".join(exported(world, 2, 11).pieces())
    world.record(*range(13, 40))
    world.anchored()
    assert b"".join(exported(world, 2, 11).pieces()) == before
    again = exported(long, 3, 200)
    assert b"".join(again.pieces()) == b"".join(again.pieces()) == once


@pytest.mark.parametrize("asked", [(6, None), (7, 9), (400, 500)])
def test_nothing_in_the_range(small: World, asked: tuple[int, int | None]) -> None:
    scratch = MemoryScratch()
    with pytest.raises(NotFound):
        exported(small, *asked, scratch=scratch)
    assert scratch.open == 0


def test_nothing_that_late(small: World) -> None:
    with pytest.raises(NotFound):
        exporter(small).bundle(ORG, Range(from_ms=small.clock.now + 1))


def test_an_end_beyond_the_end(small: World) -> None:
    assert unpacked(small, 2, 1000).manifest["last_sequence"] == 5


def test_a_cut_off_end_is_packed_as_one(small: World) -> None:
    for sequence in (4, 5):
        small.administrator.remove(small.administrator.key_of(ORG, sequence))
    found = unpacked(small)
    assert (found.manifest["records"], found.manifest["last_sequence"]) == (3, 5)
    assert found.manifest["exported"]["failures"][0]["code"] == "TRUNCATED"
    assert b"NOT WHOLE" in found.files["README.txt"]


def test_nothing_left_but_the_word_of_a_checkpoint(small: World) -> None:
    for sequence in range(1, 6):
        small.administrator.remove(small.administrator.key_of(ORG, sequence))
    found = unpacked(small)
    assert (found.manifest["records"], found.manifest["last_sequence"], found.manifest["head"]) == (0, 5, None)


def test_the_predecessor_in_a_fork_is_the_one_that_is_named(small: World) -> None:
    second = small.sealed()[1]
    forged = record.read(second.data.replace(b'"number":2', b'"number":9'))
    other = second.audit_id[:-3] + ("000" if second.audit_id[-3:] != "000" else "001")
    forged = record.read(forged.data.replace(second.audit_id.encode(), other.encode()))
    small.administrator.insert_record(forged)
    assert unpacked(small, 3, 5).files["predecessor.json"] == second.data


def test_bytes_with_a_newline_are_kept(small: World) -> None:
    key = small.administrator.key_of(ORG, 3)
    small.administrator.rot(key, small.sealed()[2].data + b"\n")
    found = unpacked(small)
    assert found.records[2] == b""
    assert found.stored_objects()[2].data == small.records.oldest(key).data  # type: ignore[union-attr]


def test_a_long_range_has_no_page_and_says_so(small: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_page, "MOST_RECORDS", 4)
    found = unpacked(small)
    assert "evidence.html" not in found.files
    assert b"no evidence.html" in found.files["README.txt"]


def test_progress_and_the_room_on_disk(small: World) -> None:
    seen: list[int] = []
    scratch = MemoryScratch()
    made = exporter(small, scratch).bundle(ORG, Range(), progress=seen.append)
    assert (seen, scratch.open) == ([1, 2, 3, 4, 5], 2)
    made.close()
    assert scratch.open == 0


def test_a_store_that_stops_answering_leaves_nothing_behind(small: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise Unavailable("S3 could not be reached")

    scratch = MemoryScratch()
    monkeypatch.setattr(small.files, "read", gone)
    with pytest.raises(Unavailable):
        exported(small, scratch=scratch)
    assert scratch.open == 0


def test_the_readme_names_the_lines_of_this_range(long: World) -> None:
    text = unpacked(long, 7, 40).files["README.txt"].decode()
    assert "sed -n 34p records.jsonl" in text
    assert "log/checkpoints/000000000300" in text
    assert max(map(len, text.splitlines())) <= 120
    assert not re.search(r"\{\w*\}", text)


def test_the_manifest_is_canonical(small: World) -> None:
    data = unpacked(small).files["manifest.json"]
    assert (
        Manifest.parse(data).data
        == data
        == json.dumps(json.loads(data), separators=(",", ":"), sort_keys=True).encode()
    )
