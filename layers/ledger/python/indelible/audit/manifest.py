# SPDX-License-Identifier: Apache-2.0
"""A bundle's manifest, compared with the bundle that it is in.

A manifest is not signed, and nothing in it is evidence. One that does not describe its bundle is a sign that either was
changed.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from indelible.audit.source import WalkSummary
from indelible.audit.stored_zip import StoredZip
from indelible.domain import bundle
from indelible.domain.bundle import LastCheckpoint, MalformedBundle, Manifest
from indelible.domain.findings import Failure, FailureCode

LONG_LINE = 4096
"""Bytes of a line with a receipt; its version id may have 1,024 characters."""
_CHECKPOINTS = f"{bundle.LOG}checkpoints/"
_NEEDED = frozenset({bundle.MANIFEST, bundle.RECORDS, bundle.RECEIPTS})


def read_manifest(archive: StoredZip) -> Manifest:
    """Read the manifest, and compare it with the archive's names. Raises MalformedBundle."""
    written = archive.read(bundle.MANIFEST, most=bundle.MAX_MANIFEST_BYTES)
    if written is None:
        raise MalformedBundle(f"it is no evidence bundle: it has no {bundle.MANIFEST}")
    manifest = Manifest.parse(written)
    strange = next((name for name in archive.names if not bundle.is_known(name)), None)
    if strange is not None:
        raise MalformedBundle(f"a bundle has no file {strange!r}")
    if len(set(archive.names)) < len(archive.names):
        raise MalformedBundle("a file is there twice")
    if archive.names != sorted(archive.names, key=bundle.file_order):
        raise MalformedBundle("the files are not in their order")
    lacks = (_NEEDED | manifest.files.keys()) - set(archive.names)
    extra = set(archive.names) - manifest.files.keys() - {bundle.MANIFEST}
    if lacks or extra:
        raise MalformedBundle(f"it lacks {min(lacks)}" if lacks else f"its manifest does not list {min(extra)}")
    return manifest


def describes(manifest: Manifest, archive: StoredZip) -> bool:
    """Whether the manifest agrees with the first and the last line. Only that of a valid export states a range."""
    said = manifest
    path = max((name for name in archive.names if name.startswith(_CHECKPOINTS)), default=None)
    largest = path and LastCheckpoint(size=int(path.removeprefix(_CHECKPOINTS)), sha256=archive.sha256(path))
    if said.checkpoint != largest:
        return False
    if said.exported.valid is not (said.exported.failures_total == 0):
        return False
    if not said.exported.valid:
        return True
    first, last = _end_lines(archive)
    return said.head is not None and (
        (first.get("sequence"), last.get("sequence")) == (said.first_sequence, said.last_sequence)
        and (last.get("sequence"), last.get("timestamp"), last.get("tx_hash"))
        == (said.head.sequence, said.head.timestamp, said.head.tx_hash)
        and said.records == said.last_sequence - said.first_sequence + 1
    )


def reported(manifest: Manifest, summary: WalkSummary) -> Iterator[Failure]:
    """Failures that the exporter reported and the walk did not find: a bundle that states some is not valid."""
    exported = manifest.exported
    for one in exported.failures:
        inside = summary.whole or one.sequence is None or summary.first <= one.sequence <= summary.last
        if inside and (one.code, one.sequence) not in summary.found:
            yield Failure(one.code, one.sequence, f"the exporter reported: {one.detail}")
    if exported.failures_total > len(exported.failures) and (summary.whole or not exported.failures):
        more = exported.failures_total - len(exported.failures)
        yield mismatch(bundle.MANIFEST, f"says that the exporter met {more} failures more, which it does not list")


def mismatch(path: str, what: str, *, expected: str | None = None, found: str | None = None) -> Failure:
    """The failure of a file of the bundle that is not what it should be."""
    return Failure(FailureCode.CONTENT_MISMATCH, None, f"{path} {what}", s3_key=path, expected=expected, found=found)


def _end_lines(archive: StoredZip) -> list[dict[str, object]]:
    """The first and the last line of receipts.jsonl; empty where there is no object on it."""
    area = archive.areas[bundle.RECEIPTS]
    first = archive.slice(area.start, min(area.end, area.start + LONG_LINE)).partition(b"\n")[0]
    last = archive.slice(max(area.start, area.end - LONG_LINE), area.end).rstrip(b"\n").rpartition(b"\n")[2]
    try:
        found = [msgspec.json.decode(line) for line in (first, last)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = []
    return [one if isinstance(one, dict) else {} for one in found] or [{}, {}]
