# SPDX-License-Identifier: Apache-2.0
"""Whatever is done to what is stored: the fast walk comes to the verdict of the slow one, and that is the API's."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indelible.audit import bucket as buckets
from indelible.audit.bundle import BundleSource
from indelible.audit.source import NotEvidence, Source
from indelible.audit.verify import Audit, AuditRequest, audit
from indelible.domain.findings import Lock
from indelible.services.ranges import Range
from tests.fakes.audits import KEY, bucket_source, bundle_source, exported, receipt_for
from tests.fakes.chains import ORG
from tests.fakes.world import World

RECORDS = 23
SIZES = (4, 9, 16, 20)


def world() -> World:
    made, before = World(), 0
    for size in (*SIZES, RECORDS):
        for number in range(before + 1, size + 1):
            made.clock.advance(3 * 3_600_000)
            made.record(number)
        if size in SIZES:
            made.anchored()
        before = size
    made.clock.advance(3 * 3_600_000)  # the outbox explains no record any more, and an auditor does not have it
    return made


@cache
def names() -> list[str]:
    return sorted(world().bucket.stacks)


@st.composite
def harm(draw: st.DrawFn) -> list[tuple[str, str, int, int]]:
    """What an administrator does to some objects: which, how, where, by what."""
    found = draw(st.lists(st.tuples(st.sampled_from(names()), st.sampled_from(sorted(WAYS))), max_size=3))
    return [(name, how, draw(st.integers(0, 10_000)), draw(st.integers(1, 255))) for name, how in found]


def rot(made: World, name: str, position: int, by: int, *, fresh: bool) -> None:
    data = bytearray(made.bucket.versions(name)[0].data)
    data[-1 - position % min(len(data), 500 if position % 2 else len(data))] ^= by
    (made.administrator.rewrite if fresh else made.administrator.rot)(name, bytes(data))


WAYS = {
    "rot": lambda made, name, position, by: rot(made, name, position, by, fresh=False),
    "rewrite": lambda made, name, position, by: rot(made, name, position, by, fresh=True),
    "remove": lambda made, name, *_: made.administrator.remove(name),
    "hide": lambda made, name, *_: made.administrator.lay_delete_marker(name),
    "overlay": lambda made, name, *_: made.administrator.lay_newer_version(name, b"{}"),
    "unlock": lambda made, name, *_: made.administrator.set_lock(name, None),
    "weaken": lambda made, name, *_: made.administrator.set_lock(name, Lock("COMPLIANCE", 1)),
    "move": lambda made, name, position, _: made.administrator.insert(
        names()[position % len(names())] + "x", made.bucket.versions(name)[0].data, None
    ),
}


def harmed(steps: list[tuple[str, str, int, int]]) -> World:
    made = world()
    for name, how, position, by in steps:
        if made.bucket.versions(name):
            WAYS[how](made, name, position, by)
    return made


def told(verdict: Any) -> Any:
    """What must agree between two verdicts; where a promise came from is worded differently."""
    return (
        [(f.code, f.sequence, f.through, f.s3_key, f.version_id) for f in verdict.failures],
        verdict.entries_checked,
        verdict.first_broken_at,
        verdict.checkpoint,
    )


def audited(source: Source, within: Range, **more: Any) -> Audit:
    return audit(source, AuditRequest(within=within, key=KEY, **more))


ranges = st.one_of(
    st.just(Range()),
    st.builds(
        lambda a, b: Range(start_seq=min(a, b), end_seq=max(a, b)), st.integers(1, RECORDS), st.integers(1, RECORDS)
    ),
)


@settings(max_examples=150, deadline=None)
@given(steps=harm(), within=ranges, size=st.sampled_from([1, 3, 8, 200]))
def test_of_a_bucket(steps: list[tuple[str, str, int, int]], within: Range, size: int) -> None:
    made = harmed(steps)
    head = made.journal.head(ORG)
    api = made.verify(within)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(buckets, "_PART", size)
        fast = audited(bucket_source(made.bucket), within, receipts=receipt_for(head))
    slow = audited(bucket_source(made.bucket), within, fast=False, receipts=receipt_for(head))

    assert (told(fast), fast.failures) == (told(slow), slow.failures)
    assert told(fast) == told(api)
    assert fast.valid is api.valid


@settings(max_examples=60, deadline=None)
@given(steps=harm())
def test_of_a_bundle(steps: list[tuple[str, str, int, int]]) -> None:
    made = harmed(steps)
    with tempfile.TemporaryDirectory() as directory:
        source = bundle_source(made.bucket, Path(directory) / "evidence.zip")
        fast, slow = audited(source, Range()), audited(source, Range(), fast=False)

    assert (told(fast), fast.failures) == (told(slow), slow.failures)


@settings(max_examples=80, deadline=None)
@given(position=st.integers(0, 100_000), by=st.integers(1, 255), where=st.sampled_from(["records", "receipts", "any"]))
def test_any_byte_of_a_bundle(position: int, by: int, where: str) -> None:
    """A changed byte is noticed, or nothing can be said of the file at all."""
    data = bytearray(honest_bundle())
    start = {"records": data.index(b'{"audit_id"'), "receipts": data.rindex(b'"tx_hash"') - 3000, "any": 0}[where]
    place = (start + position) % len(data)
    data[place] ^= by

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "evidence.zip"
        path.write_bytes(data)
        assert refused_or_broken(path)


@cache
def honest_bundle() -> bytes:
    return exported(world().bucket)


def refused_or_broken(path: Path) -> bool:
    try:
        return not audit(BundleSource(path), AuditRequest(key=KEY, strict=True)).valid
    except NotEvidence:
        return True


def test_the_honest_one_is_valid_for_all(tmp_path: Path) -> None:
    made = world()
    for source in (bucket_source(made.bucket), bundle_source(made.bucket, tmp_path / "e.zip")):
        verdict = audited(source, Range(), strict=True)
        assert (verdict.valid, verdict.entries_checked) == (True, RECORDS)
        assert verdict.checkpoint is not None
        assert verdict.checkpoint.size == SIZES[-1]
