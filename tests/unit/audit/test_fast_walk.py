# SPDX-License-Identifier: Apache-2.0
"""FastWalk: cut anywhere, in any number of processes, interrupted and gone on with, the verdict is the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from indelible.audit import resume, stored_zip
from indelible.audit.bundle import BundleSource
from indelible.audit.fast_reader import read
from indelible.audit.segment import Expected, is_canonical, segment_of
from indelible.audit.source import NotEvidence
from indelible.audit.verify import Audit, AuditRequest, audit
from indelible.domain import instants, merkle
from indelible.domain.record import MAX_RECORD_BYTES
from indelible.services.ranges import Range
from tests.fakes.audits import KEY, exported
from tests.fakes.chains import ORG
from tests.fakes.rfc6962 import root_of_leaves
from tests.fakes.world import World

RECORDS = 60


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dozen parts instead of one."""
    monkeypatch.setattr(stored_zip, "_BLOCK", 3000)


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    return written(tmp_path / "evidence.zip", sound())


def sound() -> World:
    world = World()
    for start in range(1, RECORDS + 1, 12):
        world.record(*range(start, start + 12))
        world.anchored()
    return world


def written(path: Path, world: World) -> Path:
    path.write_bytes(exported(world.bucket))
    return path


def essence(verdict: Audit) -> Audit:
    """Without what a run that went on says of itself."""
    unchecked = [said for said in verdict.unchecked if "an earlier run read" not in said]
    return replace(verdict, verification_time_ms=0, resumed=None, read=0, unchecked=unchecked)


class Interrupted(Exception):
    pass


def interrupted_after(count: int) -> object:
    def progress(done: int, of: int | None) -> None:
        assert of == RECORDS
        if done >= count:
            raise Interrupted

    return progress


@pytest.mark.parametrize("first", range(9))
def test_subtrees_are_parts_of_the_tree_of_rfc_6962(first: int) -> None:
    leaves = [bytes([number]) * 32 for number in range(40)]
    for last in range(first, 40):
        parts = merkle.merge([*merkle.subtrees(leaves[:first], 0), *merkle.subtrees(leaves[first:last], first)])
        assert merkle.root_of(parts) == root_of_leaves(leaves[:last]), (first, last)


def test_each_piece_of_the_tree_says_when_its_last_record_was_made() -> None:
    """A key that had ended by then must not have signed it."""
    made = sound().sealed()
    found = read([entry.data for entry in made], ORG)
    assert found is not None

    run = segment_of(found, Expected(ORG, {}, [5, 17, 60]))

    assert run is not None
    assert [piece[:2] for piece in run.pieces] == [(size, made[size - 1].timestamp_ms) for size in (5, 17, 60)]


@pytest.mark.usefixtures("small_blocks")
def test_several_processes_hand_on_in_order(evidence: Path) -> None:
    one, three = (audit(BundleSource(evidence), AuditRequest(key=KEY, jobs=jobs)) for jobs in (1, 3))

    assert one.valid
    assert essence(one) == essence(three)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("broken", [False, True])
@pytest.mark.parametrize("count", [1, 20, 41, 59])
def test_an_interrupted_verification_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, broken: bool
) -> None:
    monkeypatch.setattr(resume, "_EVERY_SECONDS", 0.0)
    world = sound()
    if broken:
        third = world.sealed()[2]
        world.administrator.rewrite(third.s3_key, third.data.replace(b'"number":3', b'"number":4'))
    evidence = written(tmp_path / "evidence.zip", world)
    whole = audit(BundleSource(evidence), AuditRequest(key=KEY))
    asked = AuditRequest(key=KEY, progress_file=tmp_path / "progress")

    with pytest.raises(Interrupted):
        audit(BundleSource(evidence), asked, progress=interrupted_after(count))  # type: ignore[arg-type]
    told = list[int]()
    again = audit(BundleSource(evidence), asked, progress=lambda done, _: told.append(done))
    read = told[-1] - told[0]

    assert whole.valid is not broken
    assert essence(again) == essence(whole)
    assert whole.resumed is None
    assert read < RECORDS or count == 1
    assert read == again.read == RECORDS - (again.resumed or 1) + 1
    clause = f"records 1 to {(again.resumed or 1) - 1}: an earlier run read them"
    assert any(said.startswith(clause) for said in again.unchecked) is (again.resumed is not None)
    assert not (tmp_path / "progress").exists()


@pytest.mark.usefixtures("small_blocks")
def test_a_bundle_that_changed_meanwhile_is_read_from_its_beginning(
    evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume, "_EVERY_SECONDS", 0.0)
    asked, said = AuditRequest(key=KEY, progress_file=tmp_path / "progress"), list[str]()
    with pytest.raises(Interrupted):
        audit(BundleSource(evidence), asked, progress=interrupted_after(40), say=said.append)  # type: ignore[arg-type]
    content = evidence.read_bytes()
    evidence.write_bytes(content.replace(b'"number":3', b'"number":4', 1))

    verdict = audit(BundleSource(evidence), asked, say=said.append)

    assert (verdict.first_broken_at, verdict.resumed, verdict.read) == (3, None, RECORDS)
    (line,) = said
    assert "changed" in line


@pytest.mark.usefixtures("small_blocks")
def test_nobody_goes_on_with_another_question(evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "_EVERY_SECONDS", 0.0)
    asked = AuditRequest(key=KEY, progress_file=tmp_path / "progress")
    with pytest.raises(Interrupted):
        audit(BundleSource(evidence), asked, progress=interrupted_after(40))  # type: ignore[arg-type]

    for other in (replace(asked, strict=True), replace(asked, within=Range(end_seq=50)), replace(asked, key=None)):
        with pytest.raises(NotEvidence, match="another question"):
            audit(BundleSource(evidence), other)
    (tmp_path / "progress").write_text("{}")
    with pytest.raises(NotEvidence, match="no progress file"):
        audit(BundleSource(evidence), asked)


@pytest.mark.usefixtures("small_blocks")
def test_ranges_begin_and_end_anywhere(evidence: Path) -> None:
    for start, end in ((1, 1), (1, 60), (2, 2), (13, 25), (60, 60), (59, 80)):
        verdict = audit(BundleSource(evidence), AuditRequest(key=KEY, within=Range(start_seq=start, end_seq=end)))
        assert verdict.valid, (start, end, verdict.failures)
        assert verdict.entries_checked == min(end, RECORDS) - start + 1
        assert (verdict.first_sequence, verdict.last_sequence) == (start, min(end, RECORDS))


@pytest.mark.parametrize(("length", "canonical"), [(MAX_RECORD_BYTES, True), (MAX_RECORD_BYTES + 1, False)])
def test_what_is_longer_than_a_record_is_not_parsed(length: int, canonical: bool) -> None:
    assert is_canonical(b'"' + b"x" * (length - 2) + b'"') is canonical


def test_a_range_may_end_at_the_last_instant_that_has_a_text(evidence: Path) -> None:
    verdict = audit(BundleSource(evidence), AuditRequest(key=KEY, within=Range(to_ms=instants.MAX_MS)))
    assert (verdict.valid, verdict.entries_checked) == (True, RECORDS)
