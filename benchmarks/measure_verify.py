# SPDX-License-Identifier: Apache-2.0
"""One measurement in a process of its own: what it takes to verify a bundle, in seconds and MiB."""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from indelible.audit import fast_reader
from indelible.audit.bundle import BundleSource
from indelible.audit.keys import pinned_key
from indelible.audit.stored_zip import StoredZip
from indelible.audit.verify import AuditRequest, audit
from indelible.domain import bundle

_zip: StoredZip | None = None


def whole(path: Path, jobs: int, key: str) -> None:
    """Everything that `indelible verify` does."""
    verdict = audit(BundleSource(path), AuditRequest(key=pinned_key(key), jobs=jobs))
    if not verdict.valid or verdict.checkpoint is None:
        raise SystemExit("what was made does not verify")


def links(path: Path) -> None:
    """Records hashed and held against each other; no receipts, no tree."""
    archive, prev = StoredZip(path), b"GENESIS"
    for _, block in archive.line_blocks(bundle.RECORDS, longest=bundle.MAX_OBJECT_BYTES):
        found = fast_reader.read(block.split(b"\n")[:-1], "acme-corp")
        if found is None or found.prev_hashes[0] != prev:
            raise SystemExit("what was made does not verify")
        prev = found.hashes[-1]


def floor(path: Path, jobs: int) -> None:
    """SHA-256 of each record, and nothing else."""
    archive = StoredZip(path)
    if jobs == 1:
        for _, block in archive.line_blocks(bundle.RECORDS, longest=bundle.MAX_OBJECT_BYTES):
            _hash(block)
        return
    area = archive.areas[bundle.RECORDS]
    step = area.size // jobs
    cuts = [area.start, *(area.start + step * part for part in range(1, jobs)), area.end]
    with ProcessPoolExecutor(jobs, initializer=_open, initargs=(path,)) as pool:
        list(pool.map(_part, cuts[:-1], cuts[1:]))


def _open(path: Path) -> None:
    global _zip
    _zip = StoredZip(path)


def _part(start: int, end: int) -> int:
    assert _zip is not None
    for place in range(start, end, 1 << 18):
        _hash(_zip.slice(place, min(end, place + (1 << 18))))
    return end


def _hash(block: bytes) -> None:
    sha256 = hashlib.sha256
    for line in block.split(b"\n"):
        sha256(line).digest()


if __name__ == "__main__":
    _, what, where, *rest = sys.argv
    begun = time.perf_counter()
    if what == "whole":
        whole(Path(where), int(rest[0]), rest[1])
    elif what == "links":
        links(Path(where))
    else:
        floor(Path(where), int(rest[0]) if rest else 1)
    seconds = time.perf_counter() - begun
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({"seconds": seconds, "peak_mib": peak / 1024}))
