# SPDX-License-Identifier: Apache-2.0
"""Whatever somebody writes into a bundle's files: a verdict or a refusal, and never more memory than a block needs."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from indelible.audit import bundle as bundles
from indelible.audit import stored_zip
from indelible.audit.bundle import BundleSource
from indelible.audit.keys import Pinned
from indelible.audit.source import NotEvidence
from indelible.audit.verify import Audit, AuditRequest, audit
from indelible.domain import bundle, record, tiles
from indelible.services.ranges import Range
from tests.fakes.audits import KEY, bundle_source, exported
from tests.fakes.chains import ORG
from tests.fakes.repacked import files_of, listing, packed
from tests.fakes.world import World
from tests.vectors.keys import generate

MIB = 1 << 20


@cache
def files() -> dict[str, bytes]:
    world = World()
    world.record(*range(1, 9))
    world.anchored()
    return files_of(exported(world.bucket))


def verdict(path: Path, changed: dict[str, bytes]) -> Audit:
    path.write_bytes(packed(listing({**files(), **changed})))
    return audit(BundleSource(path), AuditRequest(key=KEY))


def receipts(place: int, line: bytes) -> dict[str, bytes]:
    lines = files()[bundle.RECEIPTS].split(b"\n")
    lines[place] = line
    return {bundle.RECEIPTS: b"\n".join(lines)}


HELD = b'{"s3_key":"a","s3_version_id":"b","tx_hash":"c"'


@pytest.mark.parametrize("place", [0, 3, -2])
@pytest.mark.parametrize(
    "line",
    [
        b"[" * 4000,
        HELD + b',"x":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"sequence":' + b"9" * 5000 + b"}",
        HELD.replace(b'"a"', rb'"\ud800"') + b"}",
        HELD.replace(b'"a"', b'"' + b"a" * 5000 + b'"') + b"}",
        HELD + b',"data":"!"}',
        b"\xff",
        b"null",
        b"",
    ],
)
def test_lines_that_are_no_receipts(tmp_path: Path, place: int, line: bytes) -> None:
    assert not verdict(tmp_path / "evidence.zip", receipts(place, line)).valid


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(("length", "valid"), [(1024, True), (1025, False)])
def test_a_version_id_is_as_long_as_s3_lets_it_be(tmp_path: Path, fast: bool, length: int, valid: bool) -> None:
    """Read fast or singly, as JSON or not."""
    line = files()[bundle.RECEIPTS].split(b"\n")[3]
    version = json.loads(line)["s3_version_id"].encode()
    changed = receipts(3, line.replace(b'"s3_version_id":"%b"' % version, b'"s3_version_id":"%b"' % (b"x" * length)))
    path = tmp_path / "evidence.zip"
    path.write_bytes(packed(listing({**files(), **changed})))

    assert audit(BundleSource(path), AuditRequest(key=KEY, fast=fast)).valid is valid


@pytest.mark.parametrize(
    ("name", "most"), [(bundle.RECORDS, record.MAX_OBJECT_BYTES), (bundle.RECEIPTS, bundle.MAX_RECEIPT_BYTES)]
)
def test_a_line_beyond_all_measure_is_refused(tmp_path: Path, name: str, most: int) -> None:
    """At the cost of one of the longest that there may be, however long it is."""
    changed = {name: b"x" * (3 * most) + b"\n" + files()[name]}
    tracemalloc.start()
    try:
        path = tmp_path / "evidence.zip"
        path.write_bytes(packed(listing({**files(), **changed})))
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[1]
        with pytest.raises(NotEvidence, match="has a line of more than"):
            audit(BundleSource(path), AuditRequest(key=KEY))
        assert tracemalloc.get_traced_memory()[1] - before < 3 * most
    finally:
        tracemalloc.stop()


def test_the_longest_objects_that_there_may_be(tmp_path: Path) -> None:
    """Foreign ones, on a line and apart, a byte too long and not: reported, and only one of them is not packed."""
    world = World()
    world.record(1, 2)
    for number, data in enumerate(
        (b"x" * record.MAX_OBJECT_BYTES, b"\n" * record.MAX_OBJECT_BYTES, b"x" * (record.MAX_OBJECT_BYTES + 1))
    ):
        world.administrator.insert(f"{ORG}/2026/{number}", data, None)

    source = bundle_source(world.bucket, tmp_path / "evidence.zip")
    found = audit(source, AuditRequest(key=KEY))

    assert {(one.code, one.s3_key) for one in found.failures} == {
        ("UNKNOWN_FORMAT", f"{ORG}/2026/{number}") for number in range(3)
    }


def test_lines_are_cut_where_the_receipts_beside_them_are_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty lines by the thousand can stand beside as many long ones, of which no more are held than of the longest."""
    world = World()
    world.record(1, 2)
    for number in range(20):
        world.administrator.insert(f"{ORG}/2026/{number:02}", b"\n" * 600, None)
    source = bundle_source(world.bucket, tmp_path / "evidence.zip")
    whole, (part,) = audit(source, AuditRequest(key=KEY)), [*source.parts(after=f"{ORG}/")]
    monkeypatch.setattr(bundles, "MAX_RECEIPT_BYTES", 1500)
    monkeypatch.setattr(stored_zip, "_BLOCK", 1000)

    source = BundleSource(tmp_path / "evidence.zip")
    again, parts = audit(source, AuditRequest(key=KEY)), [*source.parts(after=f"{ORG}/")]

    assert (again.failures, again.entries_checked) == (whole.failures, whole.entries_checked)
    assert len(whole.failures) == 20
    assert sum(one.records for one in parts) == part.records == 22
    for one in parts:
        data, beside = source._both(one)
        assert len(data) == len(beside) == one.records
        assert sum(map(len, beside)) <= 2500


def test_newlines_by_the_thousand(tmp_path: Path) -> None:
    """Each is a line without a record, and without a receipt: more than the manifest counts are one failure."""
    lines = 3_000_000
    source_path = tmp_path / "evidence.zip"
    for name, counted in ((bundle.RECORDS, "3000008 records and 8 receipts"), (bundle.RECEIPTS, "3000008 receipts")):
        source_path.write_bytes(packed(listing({**files(), name: files()[name] + b"\n" * lines})))
        for fast in (True, False):
            found = audit(BundleSource(source_path), AuditRequest(key=KEY, fast=fast))
            assert found.entries_checked == 8
            assert any(f"{counted}; the manifest counts 8" in one.detail for one in found.failures)
            # Beside that the manifest names the last receipt, which an empty line is not.
            assert found.failures_total == (1 if name == bundle.RECORDS else 2)


def test_lines_that_nobody_counted_are_not_followed(tmp_path: Path) -> None:
    """A sound chain goes on after the eighth record; the manifest counts no more."""
    world = World()
    world.record(*range(1, 12))
    more = files_of(exported(world.bucket, Range(start_seq=1, end_seq=11)))
    changed = {name: more[name] for name in (bundle.RECORDS, bundle.RECEIPTS)}
    for fast in (True, False):
        (tmp_path / "evidence.zip").write_bytes(packed(listing({**files(), **changed})))
        found = audit(BundleSource(tmp_path / "evidence.zip"), AuditRequest(key=KEY, fast=fast))
        assert found.entries_checked == 8
        assert any("11 records and 11 receipts; the manifest counts 8" in one.detail for one in found.failures)


def test_what_is_noticed_is_bounded(tmp_path: Path) -> None:
    world = World()
    world.record(1)
    source = bundle_source(world.bucket, tmp_path / "evidence.zip")
    for number in range(3000):
        source._placed(0, 0, b"", b"%d" % number)
    assert len(source.noticed()) == 1000
    assert source.noticed() == []


def deep(found: dict[str, bytes]) -> bytes:
    return b'{"format":"indelible/bundle@v1","files":' + b"[" * 100_000


def great(found: dict[str, bytes]) -> bytes:
    return found[bundle.MANIFEST].replace(b'"records":8', b'"records":9007199254740993')


@pytest.mark.parametrize("made", [deep, great])
def test_manifests_that_nobody_can_read(tmp_path: Path, made: Callable[[dict[str, bytes]], bytes]) -> None:
    path = tmp_path / "evidence.zip"
    path.write_bytes(packed({**files(), bundle.MANIFEST: made(files())}))
    with pytest.raises(NotEvidence, match=r"manifest\.json"):
        BundleSource(path)


@pytest.mark.parametrize("org_id", ["", "a/b", "acme-corp/_log", "ACME", "acme-corp\n", "a" * 64, "\u202eproc-emca"])
@pytest.mark.parametrize("key", [KEY, None])
def test_a_name_that_no_organisation_has(tmp_path: Path, org_id: str, key: Pinned | None) -> None:
    path = tmp_path / "evidence.zip"
    path.write_bytes(packed(listing(files(), org_id=org_id)))
    with pytest.raises(NotEvidence, match="is not the name of an organisation"):
        audit(BundleSource(path), AuditRequest(key=key))


def test_a_statement_of_a_ledger_whose_name_would_be_that_of_an_organisation_s_log(tmp_path: Path) -> None:
    """Without a pinned key the source's own is used; an origin with two slashes would be another log's."""
    stated = generate.text(1, "", name="indelible/acme")
    made = {**files(), "keys/0001": generate.note(stated, generate.A, name="indelible/acme").encode()}
    (tmp_path / "evidence.zip").write_bytes(packed(listing(made)))
    said = audit(BundleSource(tmp_path / "evidence.zip"), AuditRequest()).unchecked
    assert any(clause.startswith("signatures and signed roots: no key was given") for clause in said)


def test_files_of_a_log_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    name = next(name for name in files() if name.startswith("log/checkpoints/"))
    changed = {name: b"x" * (5 * MIB)}
    assert not verdict(tmp_path / "evidence.zip", changed).valid
    data = BundleSource(tmp_path / "evidence.zip").read(ORG, name.removeprefix("log/"))
    assert data is not None
    assert len(data) == tiles.MAX_FILE_BYTES + 1


def test_a_predecessor_that_is_no_record(tmp_path: Path) -> None:
    manifest = json.loads(files()[bundle.MANIFEST])
    made = {**files(), bundle.PREDECESSOR: b"x" * (5 * MIB)}
    ordered = {name: made[name] for name in sorted(made, key=bundle.file_order)}
    (tmp_path / "evidence.zip").write_bytes(packed(listing(ordered)))
    assert manifest["first_sequence"] == 1
    assert audit(BundleSource(tmp_path / "evidence.zip"), AuditRequest(key=KEY)).entries_checked == 8
