# SPDX-License-Identifier: Apache-2.0
"""A bundle in a file, from which a view is made."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from indelible.audit.bundle_lines import lines_of, said_of
from indelible.audit.files import opened
from indelible.audit.source import NotEvidence
from indelible.audit.stored_zip import StoredZip
from indelible.domain import bundle, tiles
from indelible.domain.bundle import MAX_RECEIPT_BYTES, Manifest
from indelible.domain.record import MAX_OBJECT_BYTES

_PIECE = 1024 * 1024


class WrittenBundle:
    """As `services.export.Bundle`, which is about to be written. Nothing is checked that `verify` checks."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self._path = path
        self._zip = StoredZip(path)

    def pieces(self) -> Iterator[bytes]:
        """The file, in pieces."""
        with opened(self._path) as file:
            while piece := file.read(_PIECE):
                yield piece

    def lines(self) -> Iterator[tuple[bytes, bytes]]:
        """Each line of `records.jsonl` with that of `receipts.jsonl`. Raises NotEvidence for a line without either."""
        records = self._lines(bundle.RECORDS, longest=MAX_OBJECT_BYTES)
        receipts = self._lines(bundle.RECEIPTS, longest=MAX_RECEIPT_BYTES)
        for raw, receipt in zip_longest(records, receipts):
            if raw is None or receipt is None or said_of(receipt) is None:
                raise NotEvidence(f"{self._path} has not a receipt for each record: run indelible verify")
            yield raw, receipt

    def file(self, path: str) -> bytes | None:
        """One of its small files; None where it has none of this name."""
        return self._zip.read(path, most=tiles.MAX_FILE_BYTES)

    def close(self) -> None:
        """Nothing to release: no file stays open."""

    def _lines(self, name: str, *, longest: int) -> Iterator[bytes]:
        return (line for _, block in self._zip.line_blocks(name, longest=longest) for line in lines_of(block))
