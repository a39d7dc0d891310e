# SPDX-License-Identifier: Apache-2.0
"""A copy in which somebody has put pipes, devices, links and files without end: a verdict or a refusal, and soon."""

from __future__ import annotations

import os
import resource
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from indelible.audit.directory import DirectorySource
from indelible.audit.lookup import one
from indelible.audit.source import NotEvidence
from indelible.audit.verify import Audit, AuditRequest, audit
from indelible.domain import audit_id, instants, record
from indelible.domain.audit_id import MAX_SEQUENCE
from indelible.services.ranges import Range
from tests.fakes.audits import KEY, copied
from tests.fakes.chains import ORG
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    world = World()
    for number in range(1, 5):
        world.record(number)
        world.clock.advance(1000)
    world.anchored()
    return world


@pytest.fixture
def copy(world: World, tmp_path: Path) -> Path:
    return copied(world.bucket, tmp_path) / ORG


@pytest.fixture
def victim(world: World, copy: Path) -> Path:
    return copy.parent / world.sealed()[1].s3_key


@pytest.fixture(autouse=True)
def little_memory() -> Iterator[None]:
    """Who asks for a terabyte gets MemoryError, and no machine is brought to its knees."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def verdict(copy: Path, within: Range | None = None) -> Audit:
    return audit(DirectorySource(copy, ORG), AuditRequest(within=within or Range(), key=KEY))


@pytest.mark.parametrize("place", ["2026/03/20/0", "2099-x", "_log/checkpoints/000000000004"])
def test_a_pipe_that_nobody_writes_to(copy: Path, place: str) -> None:
    (copy / place).unlink(missing_ok=True)
    os.mkfifo(copy / place)
    with pytest.raises(NotEvidence, match="is no regular file"):
        verdict(copy)


def test_a_pipe_where_the_organisation_is_looked_for(copy: Path) -> None:
    os.mkfifo(copy / "0000-x")
    with pytest.raises(NotEvidence, match="is no regular file"):
        DirectorySource(copy)


def test_a_device_without_end(copy: Path, victim: Path) -> None:
    victim.unlink()
    victim.symlink_to("/dev/zero")
    with pytest.raises(NotEvidence, match="is no regular file"):
        verdict(copy)


def test_a_file_of_a_terabyte(copy: Path, victim: Path) -> None:
    """It is read as far as an object can go that is packed; a sound record may be a link to a file."""
    os.truncate(victim, 1 << 40)
    tracemalloc.start()
    try:
        found = verdict(copy)
        assert tracemalloc.get_traced_memory()[1] < 5 * record.MAX_OBJECT_BYTES
    finally:
        tracemalloc.stop()
    assert ("UNKNOWN_FORMAT", 2) in {(failure.code, failure.sequence) for failure in found.failures}
    assert any("the object has more than 16,777,216 bytes" in failure.detail for failure in found.failures)


def test_a_log_file_of_a_terabyte(copy: Path) -> None:
    os.truncate(copy / "_log/checkpoints/000000000004", 1 << 40)
    assert "CHECKPOINT_MISMATCH" in {failure.code for failure in verdict(copy).failures}


def test_a_record_that_is_a_link_to_a_file(copy: Path, victim: Path) -> None:
    victim.rename(copy.parent / "elsewhere")
    victim.symlink_to(copy.parent / "elsewhere")
    assert verdict(copy).valid


@pytest.mark.parametrize("to", [".", "..", "../.."])
def test_links_that_lead_in_circles(copy: Path, to: str) -> None:
    for name in "ab":
        (copy / "2026" / name).symlink_to(to)
    with pytest.raises(NotEvidence, match="is a link to a directory"):
        verdict(copy)


def test_directories_nested_deeper_than_calls_can_be(copy: Path) -> None:
    top = copy / "2026/03"
    nested = [f"{top}/{'a/' * depth}" for depth in range(1, 1_100)]
    for path in nested:
        Path(path).mkdir()
    Path(nested[-1], "x").touch()
    try:
        found = verdict(copy).failures
    finally:  # what clears up after a test cannot
        Path(nested[-1], "x").unlink()
        for path in reversed(nested):
            Path(path).rmdir()

    assert [(one.code, one.sequence) for one in found] == [("UNKNOWN_FORMAT", None)]


def test_a_day_that_never_was(world: World, copy: Path) -> None:
    """Its key names no record: it lies among the records, and does not belong there."""
    sound = world.sealed()[0]
    (copy / "2020/99/99").mkdir(parents=True)
    (copy / "2020/99/99" / sound.s3_key.rpartition("/")[2]).write_bytes(sound.data)

    assert [(one.code, one.sequence) for one in verdict(copy).failures] == [("UNKNOWN_FORMAT", None)]
    assert verdict(copy, Range(start_seq=2)).entries_checked == 3
    assert one(DirectorySource(copy, ORG), "2").record.sequence == 2


def test_the_last_sequence_of_all_at_the_end_of_a_day(world: World, copy: Path) -> None:
    """A key that anybody can make, and the records after it gone: no search goes on for ever."""
    first = world.sealed()[0]
    day = copy / "/".join(first.s3_key.split("/")[1:4])
    for path in day.iterdir():
        path.unlink()
    early = instants.from_text(f"{day.relative_to(copy).as_posix().replace('/', '-')}T00:00:00Z")
    (day / f"{MAX_SEQUENCE:012d}-{audit_id.encode(early, MAX_SEQUENCE, 1)}.json").write_bytes(b"{}")

    with pytest.raises(NotEvidence, match="no record at that time"):
        verdict(copy, Range(from_ms=first.timestamp_ms))
