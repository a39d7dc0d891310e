# SPDX-License-Identifier: Apache-2.0
"""Valid means that everything was read, and what nobody but the source itself vouches for is said."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from indelible.audit import stored_zip
from indelible.audit.bundle import BundleSource
from indelible.audit.directory import DirectorySource
from indelible.audit.verify import Audit, AuditRequest, audit
from indelible.domain import bundle, record
from indelible.domain.archive import archive, entry_of
from indelible.domain.canonical import canonical_bytes
from indelible.domain.findings import ExpectedHash
from indelible.domain.record import Record
from indelible.services.ranges import Range
from tests.fakes.audits import KEY, copied, exported
from tests.fakes.chains import GOVERNOR, ORG, RETENTION, event
from tests.fakes.world import World


@pytest.fixture(params=[True, False], ids=["fast", "slow"])
def fast(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def world() -> World:
    """Twelve records a second apart, signed up to 10."""
    made = World()
    for number in range(1, 13):
        made.record(number)
        made.clock.advance(1_000)
        if number in (4, 10):
            made.anchored()
    return made


def files(world: World, asked: Range | None = None) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(exported(world.bucket, asked or Range()))) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def packed(path: Path, made: dict[str, bytes], **changed: Any) -> BundleSource:
    """A bundle whose manifest fits, whoever wrote the rest."""
    listed = {
        name: {"bytes": len(data), "sha256": record.tx_hash(data)}
        for name, data in made.items()
        if name != bundle.MANIFEST
    }
    manifest = {**json.loads(made[bundle.MANIFEST]), "files": listed, **changed}
    made = {**made, bundle.MANIFEST: canonical_bytes(manifest)}
    path.write_bytes(b"".join(archive((entry_of(name, data), [data]) for name, data in made.items())))
    return BundleSource(path)


def following(head: record.Head, number: int) -> Record:
    return record.build(
        event(number),
        org_id=ORG,
        head=head,
        now_ms=head.timestamp_ms + 1_000,
        retention=RETENTION,
        governor=GOVERNOR,
        random=number,
    )


def receipt(made: Record) -> bytes:
    return bundle.receipt_line(made, s3_key=made.s3_key, version_id="v1", stored_sha256=None, data=made.data) + b"\n"


def unchecked(verdict: Audit) -> str:
    return "\n".join(verdict.unchecked)


def test_records_that_no_root_covers_are_named(world: World, tmp_path: Path, fast: bool) -> None:
    for source in (
        packed(tmp_path / "a.zip", files(world)),
        DirectorySource(copied(world.bucket, tmp_path / "a"), ORG),
    ):
        verdict = audit(source, AuditRequest(key=KEY, fast=fast))
        assert verdict.valid
        assert "records 11 to 12: no signed root covers them" in unchecked(verdict)
        assert "when records 1 to 12 were made" in unchecked(verdict)


def test_records_that_a_root_covers_are_not_named(world: World, tmp_path: Path) -> None:
    verdict = audit(packed(tmp_path / "a.zip", files(world, Range(start_seq=3, end_seq=8))), AuditRequest(key=KEY))

    assert verdict.valid
    assert "no signed root covers" not in unchecked(verdict)


def test_a_line_that_claims_to_lie_behind_the_range_hides_none_after_it(
    world: World, tmp_path: Path, fast: bool
) -> None:
    made = files(world)
    beyond = following(world.sealed()[-1].head, 13)
    rest = [following(beyond.head, number) for number in (14, 15)]
    for extra in (beyond, *rest):
        made[bundle.RECORDS] += extra.data + b"\n"
        made[bundle.RECEIPTS] += receipt(extra)

    assert not audit(packed(tmp_path / "a.zip", made), AuditRequest(key=KEY, fast=fast)).valid
    assert not audit(packed(tmp_path / "b.zip", made, records=15), AuditRequest(key=KEY, fast=fast)).valid


def test_receipts_beside_no_record(world: World, tmp_path: Path, fast: bool) -> None:
    made = files(world)
    made[bundle.RECEIPTS] += receipt(following(world.sealed()[-1].head, 13))

    assert not audit(packed(tmp_path / "a.zip", made), AuditRequest(key=KEY, fast=fast)).valid


def test_a_block_that_seems_to_lie_before_the_range_is_read_too(
    world: World, tmp_path: Path, fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last receipt has a key that sorts before all others."""
    monkeypatch.setattr(stored_zip, "_BLOCK", 3000)
    made = files(world)
    junk = bundle.receipt_line(None, s3_key="!", version_id="v1", stored_sha256=None, data=b"junk") + b"\n"
    made[bundle.RECORDS] = b"junk\n" * 600 + made[bundle.RECORDS]
    made[bundle.RECEIPTS] = junk * 600 + made[bundle.RECEIPTS]

    verdict = audit(packed(tmp_path / "a.zip", made, records=612), AuditRequest(key=KEY, fast=fast))

    assert not verdict.valid
    assert "UNKNOWN_FORMAT" in {failure.code for failure in verdict.failures}


@pytest.mark.parametrize(("line", "valid"), [(b"", True), (b"another", False)])
def test_beside_bytes_that_are_held_apart_nothing_is_on_the_line(
    world: World, tmp_path: Path, fast: bool, line: bytes, valid: bool
) -> None:
    """A record with a newline in its event, as only an unsigned end can have: views and other tools read the line."""
    made = files(world)
    held = record.read(following(world.sealed()[-1].head, 13).data.replace(b'"event":{', b'"event":{\n'))
    last = following(held.head, 14)
    for written, stored in ((line, held), (last.data, last)):
        made[bundle.RECORDS] += written + b"\n"
        made[bundle.RECEIPTS] += receipt(stored)
    timestamp = json.loads(receipt(last))["timestamp"]
    head = {"sequence": 14, "tx_hash": last.tx_hash, "timestamp": timestamp}

    verdict = audit(
        packed(tmp_path / "a.zip", made, records=14, last_sequence=14, head=head), AuditRequest(key=KEY, fast=fast)
    )

    assert verdict.valid is valid
    assert [(one.code, one.sequence) for one in verdict.failures] == ([] if valid else [("CONTENT_MISMATCH", 13)])


def test_lines_out_of_order(world: World, tmp_path: Path, fast: bool) -> None:
    made = files(world)
    for name in (bundle.RECORDS, bundle.RECEIPTS):
        lines = made[name].splitlines(keepends=True)
        made[name] = b"".join([*lines[:5], lines[6], lines[5], *lines[7:]])

    verdict = audit(packed(tmp_path / "a.zip", made), AuditRequest(key=KEY, fast=fast))

    assert any("order of keys" in failure.detail for failure in verdict.failures)


def test_a_bundle_that_calls_itself_broken_without_saying_how(world: World, tmp_path: Path) -> None:
    said = {"valid": False, "first_broken_at": None, "failures_total": 7, "failures": []}

    verdict = audit(packed(tmp_path / "a.zip", files(world), exported=said), AuditRequest(key=KEY))

    assert not verdict.valid
    assert "7 failures more" in verdict.failures[0].detail


def test_what_the_exporter_found_beyond_the_range_is_reported_too(world: World, tmp_path: Path) -> None:
    """As the evidence page does: that two roots are signed for a later size, the bundle itself does not show."""
    found = {"code": "CHECKPOINT_MISMATCH", "sequence": 20, "detail": "two roots are signed for size 20"}
    said = {"valid": False, "first_broken_at": 20, "failures_total": 1, "failures": [found]}
    source = packed(tmp_path / "a.zip", files(world, Range(end_seq=8)), exported=said)

    verdict = audit(source, AuditRequest(key=KEY))

    assert [(failure.code, failure.sequence) for failure in verdict.failures] == [("CHECKPOINT_MISMATCH", 20)]
    assert audit(source, AuditRequest(Range(end_seq=7), KEY)).valid


@pytest.mark.parametrize(
    ("asked", "held"),
    [(Range(), True), (Range(start_seq=6), False), (Range(end_seq=4), False), (Range(start_seq=2, end_seq=9), True)],
)
def test_a_receipt_that_was_not_looked_at_does_not_count_as_held(
    world: World, tmp_path: Path, asked: Range, held: bool
) -> None:
    sealed = world.sealed()[4]
    source = DirectorySource(copied(world.bucket, tmp_path / "a"), ORG)

    verdict = audit(source, AuditRequest(asked, KEY, receipts={5: (ExpectedHash(5, sealed.tx_hash, "the receipt"),)}))

    assert verdict.valid
    assert verdict.receipts == int(held)
    assert ("receipts for records outside of the range: 5" in unchecked(verdict)) is not held


def test_a_receipt_from_before_a_time_range_and_one_of_a_later_bundle(world: World, tmp_path: Path) -> None:
    wrong = {5: (ExpectedHash(5, "ab" * 32, "the receipt"),)}
    sealed = world.sealed()
    copy = DirectorySource(copied(world.bucket, tmp_path / "a"), ORG)
    later = packed(tmp_path / "a.zip", files(world, Range(start_seq=8)))

    for verdict in (
        audit(copy, AuditRequest(Range(from_ms=sealed[7].timestamp_ms), KEY, wrong)),
        audit(copy, AuditRequest(Range(to_ms=sealed[3].timestamp_ms), KEY, wrong)),
        audit(later, AuditRequest(key=KEY, receipts=wrong)),
    ):
        assert (verdict.valid, verdict.receipts) == (True, 0)
        assert "outside of the range: 5" in unchecked(verdict)


def test_a_bundle_asked_from_a_time_before_its_first_record_is_asked_whole(
    world: World, tmp_path: Path, fast: bool
) -> None:
    sealed = world.sealed()
    source = packed(tmp_path / "a.zip", files(world, Range(start_seq=5, end_seq=10)))

    for from_ms in (1, sealed[4].timestamp_ms - 1, sealed[4].timestamp_ms):
        verdict = audit(source, AuditRequest(Range(from_ms=from_ms), KEY, fast=fast))
        assert (verdict.valid, verdict.first_sequence, verdict.entries_checked) == (True, 5, 6)
        assert verdict.checkpoint is not None


def test_a_bad_receipt_in_the_bundle_belongs_to_its_own_record(world: World, tmp_path: Path, fast: bool) -> None:
    made = files(world)
    made[bundle.RECEIPTS] = made[bundle.RECEIPTS].replace(b'"s3_lock_mode":"C', b'"s3_lock_mode":"c', 1)
    source = packed(tmp_path / "a.zip", made)

    assert audit(source, AuditRequest(Range(start_seq=6, end_seq=9), KEY, fast=fast)).valid
    assert audit(source, AuditRequest(key=KEY, fast=fast)).first_broken_at == 1
