# SPDX-License-Identifier: Apache-2.0
"""The progress bar: records done, and the time left if the end of the chain is known."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from indelible.audit.lookup import all_of_trace
from indelible.audit.source import Source
from indelible.audit.verify import AuditRequest, audit
from indelible.cli.progress import records_bar
from indelible.services.ranges import Range
from tests.fakes.audits import KEY, bucket_source, bundle_source, directory_source
from tests.fakes.world import World


@pytest.fixture(scope="module")
def world() -> World:
    made = World()
    made.record(*range(1, 5))
    made.clock.now += 1000
    made.record(*range(5, 10))
    made.anchored()
    made.record(10, 11)
    return made


def told(source: Source, asked: Range) -> list[tuple[int, int | None]]:
    found: list[tuple[int, int | None]] = []
    audit(source, AuditRequest(asked, key=KEY), progress=lambda *both: found.append(both))
    return found


@pytest.mark.parametrize("kind", ["bucket", "directory", "bundle"])
def test_the_range_is_what_counts(world: World, tmp_path: Path, kind: str) -> None:
    """In a bucket and a copy of it the latest checkpoint gives a lower bound of the total."""
    sources = {
        "bucket": lambda: bucket_source(world.bucket),
        "directory": lambda: directory_source(world.bucket, tmp_path / "copy"),
        "bundle": lambda: bundle_source(world.bucket, tmp_path / "evidence.zip"),
    }
    source, whole = sources[kind](), 11 if kind == "bundle" else 9
    until = Range(to_ms=world.sealed()[3].timestamp_ms)

    assert told(source, Range())[0] == (0, whole)
    assert told(source, Range())[-1] == (11, whole)
    assert told(source, Range(start_seq=3, end_seq=6))[-1] == (4, 4)
    assert told(source, Range(start_seq=3))[0] == (0, whole - 2)
    assert told(source, until)[-1] == (4, 4)


def test_a_trace_is_looked_for_among_all_records(world: World, tmp_path: Path) -> None:
    found: list[tuple[int, int | None]] = []

    assert not [*all_of_trace(bundle_source(world.bucket, tmp_path / "e.zip"), "t", lambda *both: found.append(both))]

    assert found == [(0, 11)]


@pytest.mark.parametrize("width", [40, 50, 79, 80, 120])
def test_no_terminal_is_too_narrow_for_the_numbers(width: int) -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None, legacy_windows=False)

    with records_bar("verifying", screen) as progress:
        progress(500_000, 1_234_567)
        progress(1_234_000, 1_234_567)

    drawn = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "1,234,000/1,234,567" in drawn
    assert "left" in drawn
    assert "…" not in drawn
