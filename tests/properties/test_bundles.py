# SPDX-License-Identifier: Apache-2.0
"""Any range of any log in a bundle verifies against every root that was signed for it; a byte changed shows."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from indelible.audit.bundle import BundleSource
from indelible.audit.source import NotEvidence
from indelible.audit.verify import Audit, AuditRequest, audit
from indelible.services.ranges import Range
from tests.fakes.audits import KEY, exported
from tests.fakes.world import World

COUNT = 40
NO_EVIDENCE = ("README.txt", "evidence.html")
_LOCAL_HEADER = 30


@st.composite
def ledgers(draw: st.DrawFn) -> tuple[World, list[int], int, int]:
    """A world of COUNT records with checkpoints somewhere, and a range."""
    sizes = sorted(draw(st.sets(st.integers(1, COUNT), max_size=5)))
    world, start = World(), 0
    for size in [*sizes, COUNT]:
        if size > start:
            world.record(*range(start + 1, size + 1))
        start = size
        if size in sizes:
            world.anchored()
    first = draw(st.integers(1, COUNT))
    return world, sizes, first, draw(st.integers(first, COUNT))


def verdict(data: bytes) -> Audit | None:
    """What an auditor finds; None where it is no bundle at all."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "evidence.zip"
        path.write_bytes(data)
        try:
            return audit(BundleSource(path), AuditRequest(key=KEY))
        except NotEvidence:
            return None


@given(ledgers())
def test_any_range_verifies(made: tuple[World, list[int], int, int]) -> None:
    world, sizes, first, last = made

    found = verdict(exported(world.bucket, Range(start_seq=first, end_seq=last)))

    assert found is not None
    assert (found.valid, found.failures) == (True, [])
    assert (found.first_sequence, found.last_sequence) == (first, last)
    covering = [size for size in sizes if size >= first]
    within = [size for size in covering if size <= last]
    expected = (within + [size for size in covering if size > last][:1] if last not in within else within)[-1:]
    assert ([found.checkpoint.size] if found.checkpoint else []) == expected


@settings(max_examples=150)
@given(st.data())
def test_any_byte_of_the_evidence_changed_is_noticed(data: st.DataObject) -> None:
    world = World()
    world.record(1, 2, 3)
    world.anchored()
    bundle = bytearray(exported(world.bucket))
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        entries = {info.filename: info for info in archive.infolist()}
    info = entries[data.draw(st.sampled_from([name for name in entries if name not in NO_EVIDENCE]))]
    begin = info.header_offset + _LOCAL_HEADER + len(info.filename)
    place = begin + data.draw(st.integers(0, info.file_size - 1))
    changed = data.draw(st.integers(0, 255))
    assume(bundle[place] != changed)
    bundle[place] = changed

    found = verdict(bytes(bundle))

    assert found is None or not found.valid
