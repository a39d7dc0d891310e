# SPDX-License-Identifier: Apache-2.0
"""The evidence page of a bundle, where the range is short enough for one.

Invariant: no more than a page's worth of records is ever held in memory. A longer range has no page, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from indelible.domain.bundle import Exported
from indelible.domain.findings import StoredObject
from indelible.domain.merkle import Subtree
from indelible.page.parts import PageCheckpoint, PageParts, subtrees_around
from indelible.page.render import render
from indelible.ports import StoredLogFiles
from indelible.services.export_anchors import AnchorsPart
from indelible.services.export_files import LogPart
from indelible.services.log import checkpoint_path

MOST_RECORDS = 20_000
MOST_BYTES = 64 * 1024 * 1024
"""Of records: the page is made in memory, and takes several times as much meanwhile."""

_WITH = """\
evidence.html shows the records in a browser, checks them before your eyes, and loads nothing from anywhere."""
_WITHOUT = f"""\
There is no evidence.html here: a page has at most {MOST_RECORDS:,} records and {MOST_BYTES >> 20} MiB. Export a shorter
range for one; the checks below are the same for any number of records."""


@dataclass(frozen=True, slots=True)
class Page:
    """`content` is None where the range is too long; `remark` is the text about the page in README.txt."""

    content: bytes | None
    remark: str


@dataclass(slots=True)
class PageMaker:
    """Collects records for the page until there are too many."""

    _records: list[StoredObject] | None = field(default_factory=list)
    _bytes: int = 0

    def add(self, seen: StoredObject) -> None:
        """Add the next record."""
        if self._records is None:
            return
        self._records.append(seen)
        self._bytes += len(seen.data or b"")
        if len(self._records) > MOST_RECORDS or self._bytes > MOST_BYTES:
            self._records = None

    def make(
        self,
        files: StoredLogFiles,
        part: LogPart,
        anchors: AnchorsPart,
        *,
        ledger_name: str,
        org_id: str,
        first: int,
        last: int,
        predecessor: bytes | None = None,
        exported: Exported,
    ) -> Page:
        """Make the page of all records that were added."""
        if self._records is None:
            return Page(None, _WITHOUT)
        left, right = _around(files, part, org_id, first, last)
        notes = [
            PageCheckpoint(size, part.files[path], anchors.proofs.get(size))
            for size in part.sizes
            if (path := checkpoint_path(size)) in part.files
        ]
        parts = PageParts(
            ledger_name=ledger_name,
            org_id=org_id,
            first_sequence=first,
            last_sequence=last,
            records=self._records,
            predecessor=predecessor,
            exported=exported,
            checkpoints=tuple(notes),
            left=left,
            right=right,
            keys=tuple(anchors.keys.values()),
            anchored=anchors.above,
        )
        return Page(render(parts), _WITH)


def _around(
    files: StoredLogFiles, part: LogPart, org_id: str, first: int, last: int
) -> tuple[tuple[Subtree, ...], tuple[Subtree, ...]]:
    def read(path: str) -> bytes:
        data = part.files[path] if path in part.files else files.read(org_id, path)
        if data is None:
            raise ValueError(f"there is no {path}")
        return data

    if not part.sizes:
        return (), ()
    try:
        return subtrees_around(first, last, part.sizes[-1], read)
    except ValueError:
        return (), ()  # the page reports that nothing leads to the signed root
