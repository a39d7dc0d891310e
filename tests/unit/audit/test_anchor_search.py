# SPDX-License-Identifier: Apache-2.0
"""On a ledger that lives the newest anchors are not worth much yet, and an early range has thousands after it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from indelible.audit import anchor_search
from indelible.audit.anchors import ExternalAnchor, Trust, trusted
from indelible.audit.source import Source
from indelible.audit.verify import Audit, AuditRequest, audit
from indelible.domain import note as notes
from indelible.domain.anchors import AnchorFile
from indelible.external.verify_ots import read_bitcoin_headers, read_stamp, write_detached
from indelible.services.log import LEDGER
from indelible.services.ranges import Range
from local.external.calendar import FIRST_HEIGHT, Calendar
from local.external.web import Request
from tests.fakes.audits import KEY, bucket_source, bundle_source, directory_source
from tests.fakes.bucket import Bucket
from tests.fakes.world import World
from tests.unit.audit.test_anchors import Clock, completed
from tests.unit.services.test_ledger_proof import ALICE, BOB, cosign, grown, note_of, put, token

__all__ = ["token"]

SIZES = 12
COMPLETE = 7
"""Ledger checkpoints whose proofs Bitcoin has, the first ones; the organisation's checkpoint n is leaf n - 1."""
SOURCES: dict[str, Callable[[Bucket, Path], Source]] = {
    "bucket": lambda bucket, _: bucket_source(bucket),
    "directory": directory_source,
    "bundle": lambda bucket, path: bundle_source(bucket, path / "evidence.zip"),
}


@dataclass
class Live:
    """A ledger that goes on, with a proof of a calendar for each of its checkpoints."""

    world: World = field(default_factory=World)
    headers: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        clock = Clock()
        calendar = Calendar("http://calendar.example", block_seconds=600, clock=clock)
        for size in range(1, SIZES + 1):
            self.world.record(size)
            self.world.anchored()
            self.world.logged()
            digest = hashlib.sha256(note_of(self.world, size).data).digest()
            stamp = read_stamp(calendar(Request("POST", "/digest", "", digest)).body, digest)
            put(self.world, size, AnchorFile("pending", "alice"), write_detached(stamp))
            clock.now += 3600
            if size <= COMPLETE:
                height, proof = completed(calendar, stamp, digest)
                put(self.world, size, AnchorFile("bitcoin", "alice", height), proof)
        self.headers |= read_bitcoin_headers(calendar(Request("GET", "/headers", "", b"")).body.decode())


@pytest.fixture(scope="module")
def live() -> Live:
    return Live()


def seen(source: Source, trust: Trust, **within: int) -> Audit:
    verdict = audit(source, AuditRequest(within=Range(**within), key=KEY, trust=trust))
    assert verdict.valid, verdict.failures
    return verdict


def others(verdict: Audit) -> list[ExternalAnchor]:
    return [said for said in verdict.anchors if said.kind != "ledger log"]


@pytest.mark.parametrize("source", SOURCES)
def test_while_the_newest_proofs_are_pending_the_newest_complete_one_counts(
    source: str, live: Live, tmp_path: Path
) -> None:
    verdict = seen(SOURCES[source](live.world.bucket, tmp_path), Trust(headers=live.headers))

    (said,) = others(verdict)
    assert (said.checked, said.size, said.covers) == (True, COMPLETE, COMPLETE)
    assert f"in Bitcoin block {FIRST_HEIGHT + COMPLETE - 1:,}" in said.words
    assert any(said.startswith(f"when records {COMPLETE + 1} to {SIZES} were made") for said in verdict.unchecked)


def test_headers_of_some_blocks_are_enough(live: Live) -> None:
    given = {height: header for height, header in live.headers.items() if height < FIRST_HEIGHT + 3}

    (said,) = others(seen(bucket_source(live.world.bucket), Trust(headers=given)))

    assert (said.checked, said.size, said.covers) == (True, 3, 3)


@pytest.mark.parametrize("trusted", [True, False])
def test_of_an_early_range_one_line_tells_of_the_earliest_that_is_complete(live: Live, trusted: bool) -> None:
    """Those after it say less of the time, and its own promise is kept."""
    trust = Trust(headers=live.headers) if trusted else Trust()

    (said,) = others(seen(bucket_source(live.world.bucket), trust, end_seq=4))

    assert (said.checked, said.size, said.covers) == (trusted, 4, 4)
    assert f"block {FIRST_HEIGHT + 3:,}" in said.words


def test_before_the_range_nobody_looks(live: Live) -> None:
    (said,) = others(seen(bucket_source(live.world.bucket), Trust(headers=live.headers), start_seq=COMPLETE + 1))

    assert (said.checked, said.size) == (False, SIZES)
    assert "has promised" in said.words


def test_each_witness_counts_as_far_as_it_has_seen() -> None:
    world = World()
    for size in range(1, 10):
        world.record(size)
        world.anchored()
        world.logged()
    for size, who in ((2, ALICE), (3, ALICE), (6, BOB), (8, BOB)):
        cosign(world, size, who)
    line = ALICE.line(note_of(world, 9))
    forged = notes.Signature(line.name, line.key_id, line.signature[:-1] + b"\x00")
    put(world, 9, AnchorFile("cosignature", "witness.example_alice"), forged.line.encode())

    found = others(seen(bucket_source(world.bucket), Trust(witnesses=(ALICE.key, BOB.key))))

    assert [(said.name, said.checked, said.size, said.covers) for said in found] == [
        (str(ALICE.key), True, 3, 3),
        (str(BOB.key), True, 8, 8),
    ]


def test_junk_in_its_place_hides_no_token(
    token: Callable[[bytes], bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    world = World()
    for size in range(1, 5):
        world.record(size)
        world.anchored()
        world.logged()
    for provider in ("aaa", "bbb", "ccc", "tsa"):
        put(world, 3, AnchorFile("token", provider), b"junk")
    put(world, 4, AnchorFile("token", "tsa"), token(note_of(world, 4).data))
    trust = trusted(tsa_roots=[next(tmp_path_factory.getbasetemp().glob("authority*/root.pem"))])

    *junk, said = others(seen(bucket_source(world.bucket), trust, end_seq=3))

    assert [("not true" in one.words, one.checked) for one in junk] == [(True, False)] * 3
    assert (said.name, said.checked, said.size, said.covers) == ("tsa", True, 4, 3)


@pytest.mark.parametrize("begun", [9, 40])
def test_who_began_long_after_the_records_vouches_for_them_too(monkeypatch: pytest.MonkeyPatch, begun: int) -> None:
    """An organisation that has recorded nothing since, on a ledger that others go on with."""
    monkeypatch.setattr(anchor_search, "_MOST_FILES", 4)
    world = grown(*range(1, 42))
    for size in range(1, 42):
        put(world, size, AnchorFile("pending", "alice"), b"not read")
        put(world, size, AnchorFile("cosignature", "aaa"), BOB.line(note_of(world, size)).line.encode())
    for size in range(begun, 42):
        cosign(world, size, ALICE)
    put(world, 10**12 - 1, AnchorFile("pending", "far"), b"junk")
    source, listed = bucket_source(world.bucket), list[str]()
    listing = source.names

    def list_them(owner: str, prefix: str, *, after: str = "") -> Iterator[str]:
        for name in listing(owner, prefix, after=after):
            listed.append(name)
            yield name

    source.names = list_them  # type: ignore[method-assign]
    found = others(seen(source, Trust(witnesses=(ALICE.key,))))

    (said,) = [one for one in found if one.checked]
    assert (said.name, said.covers) == (str(ALICE.key), 1)
    assert begun <= said.size <= 41
    assert len(listed) <= 4 * 8


@pytest.mark.parametrize(("end", "most_read", "most_listed"), [(2, 1, 16), (SIZES, 3, 48)])
def test_what_is_read_is_bounded(
    live: Live, monkeypatch: pytest.MonkeyPatch, end: int, most_read: int, most_listed: int
) -> None:
    monkeypatch.setattr(anchor_search, "_MOST_FILES", 8)
    source, read, listed = bucket_source(live.world.bucket), list[str](), list[str]()
    reading, listing = source.read, source.names

    def read_it(owner: str, path: str) -> bytes | None:
        read.append(path)
        return reading(owner, path)

    def list_them(owner: str, prefix: str, *, after: str = "") -> Iterator[str]:
        for name in listing(owner, prefix, after=after):
            listed.append(name)
            yield name

    source.read, source.names = read_it, list_them  # type: ignore[assignment, method-assign]

    (said,) = others(seen(source, Trust(headers=live.headers), end_seq=end))

    assert said.size == min(end, COMPLETE)
    anchors = [path for path in read if path.startswith("anchors/")]
    assert len(anchors) <= most_read
    assert not any("pending" in path for path in anchors), "their names say it"
    assert len(listed) <= most_listed


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_lists_names_from_anywhere_on(source: str, live: Live, tmp_path: Path) -> None:
    opened = SOURCES[source](live.world.bucket, tmp_path)

    names = list(opened.names(LEDGER, "anchors/"))

    assert names == sorted(names)
    assert len(names) == SIZES + COMPLETE
    for after in ("anchors/000000000004", names[0], names[-1]):
        assert list(opened.names(LEDGER, "anchors/", after=after)) == [name for name in names if name > after]


@pytest.mark.parametrize("count", range(20))
def test_the_newest_that_holds_is_found_in_few_steps(count: int) -> None:
    for newest in range(-1, count):
        tried: list[int] = []

        def holds(index: int, newest: int = newest) -> int | None:
            tried.append(index)  # noqa: B023 -- called at once
            return index if index <= newest else None

        assert anchor_search._newest_that_holds(count, holds) == (newest if newest >= 0 else None)
        assert len(tried) == len(set(tried)) <= 2 * count.bit_length()
