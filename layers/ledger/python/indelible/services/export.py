# SPDX-License-Identifier: Apache-2.0
"""Pack a range of an organisation's chain, and what proves it, into an evidence bundle.

Invariant: the same range of the same bucket gives the same bytes, and memory does not grow with the range. Nothing is
repaired and nothing left out because it is wrong: a broken chain is packed as it is, and the manifest says so. The
table is not asked: a bundle is what the bucket shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from indelible.domain import bundle, record
from indelible.domain.anchors import AnchorFile
from indelible.domain.archive import Entry, archive, entry_of
from indelible.domain.bundle import LastCheckpoint, Listed, Manifest
from indelible.domain.bundle_readme import readme
from indelible.domain.ledger import ledger_proof_path
from indelible.errors import NotFound
from indelible.ports import Clock, Scratch, StoredLogFiles, StoredRecords
from indelible.services.export_anchors import Anchored, anchors_part
from indelible.services.export_files import log_part
from indelible.services.export_walk import ExportWalk
from indelible.services.log import LogReader, checkpoint_path
from indelible.services.offline import NoTable
from indelible.services.ranges import Range
from indelible.services.spool import Spool

Content = Callable[[], Iterator[bytes]]


def _quietly(_: int) -> None:
    """No progress is reported."""


def _nothing(_: int) -> Iterator[tuple[int, AnchorFile]]:
    """No external anchors."""
    return iter(())


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that can be written, any number of times, until it is closed."""

    manifest: Manifest
    _entries: list[tuple[Entry, Content]]
    _spools: list[Spool]

    def pieces(self) -> Iterator[bytes]:
        """The file, piece by piece."""
        return archive((entry, content()) for entry, content in self._entries)

    def lines(self) -> Iterator[tuple[bytes, bytes]]:
        """Each line of `records.jsonl` with that of `receipts.jsonl`."""
        records, receipts = self._spools
        return zip(records.lines(), receipts.lines(), strict=True)

    def file(self, path: str) -> bytes | None:
        """The content of one of its small files, in memory; None where it has none of this name."""
        return next((b"".join(content()) for entry, content in self._entries if entry.path == path), None)

    def close(self) -> None:
        """Free the disk space that it takes."""
        for spool in self._spools:
            spool.close()


class Exporter:
    """Holds no state between calls."""

    def __init__(
        self,
        *,
        records: StoredRecords,
        files: StoredLogFiles,
        log: LogReader,
        ledger_name: str,
        scratch: Scratch,
        clock: Clock,
        anchored: Anchored = _nothing,
        locks: bool = True,
    ) -> None:
        """`anchored` lists the external anchors of the ledger's log. `locks` is False for a store that shows no locks.

        `log` may verify less than `files` has: all that belongs to the range is packed, verified or not.
        """
        self._records = records
        self._files = files
        self._log = log
        self._ledger_name = ledger_name
        self._scratch = scratch
        self._clock = clock
        self._anchored = anchored
        self._locks = locks

    def bundle(self, org_id: str, asked: Range, *, progress: Callable[[int], None] = _quietly) -> Bundle:
        """Read the range and pack it. `progress` is told the number of records read so far.

        Raises NotFound when neither a record nor a checkpoint is in the range.
        """
        records = Spool(bundle.RECORDS, self._scratch.file())
        receipts = Spool(bundle.RECEIPTS, self._scratch.file())
        try:
            walk = ExportWalk(
                self._records,
                NoTable(),
                self._log,
                self._clock,
                org_id,
                asked,
                locks=self._locks,
                packed=records,
                receipts=receipts,
                progress=progress,
            )
            walk.pack()
            return self._pack(org_id, walk)
        except BaseException:
            records.close()
            receipts.close()
            raise

    def _pack(self, org_id: str, walk: ExportWalk) -> Bundle:
        first, last = walk.checker.start, walk.last
        if last < first:
            raise NotFound("there is no record in this range")
        part = log_part(self._files, org_id, first=first, last=last)
        anchors = anchors_part(self._files, self._anchored, org_id, part.sizes)
        predecessor = walk.predecessor
        page = walk.page.make(
            self._files,
            part,
            anchors,
            ledger_name=self._ledger_name,
            org_id=org_id,
            first=first,
            last=last,
            predecessor=predecessor,
            exported=walk.exported,
        )
        small = {f"{bundle.LOG}{path}": data for path, data in part.files.items()}
        small |= {f"{bundle.LOG}{ledger_proof_path(size)}": data for size, data in anchors.proofs.items()}
        small |= {f"{bundle.LEDGER}{path}": data for path, data in anchors.ledger.items()} | anchors.keys
        if predecessor is not None:
            small[bundle.PREDECESSOR] = predecessor
        if page.content is not None:
            small[bundle.PAGE] = page.content
        head, checkpoint, exported = walk.last_record, _largest(part.sizes, part.files), walk.exported
        small[bundle.README] = readme(
            ledger_name=self._ledger_name,
            org_id=org_id,
            first=first,
            last=last,
            lines=walk.lines,
            head=head,
            checkpoint=checkpoint,
            exported=exported,
            page=page.remark,
        )
        listed = {path: Listed(bytes=len(data), sha256=record.tx_hash(data)) for path, data in small.items()}
        spools = {bundle.RECORDS: walk.packed, bundle.RECEIPTS: walk.receipts}
        manifest = Manifest(
            ledger_name=self._ledger_name,
            org_id=org_id,
            first_sequence=first,
            last_sequence=last,
            records=walk.lines,
            head=head,
            checkpoint=checkpoint,
            exported=exported,
            files=listed | {path: spool.listed for path, spool in spools.items()},
        )
        small[bundle.MANIFEST] = manifest.data
        contents: dict[str, tuple[Entry, Content]] = {path: _in_memory(path, data) for path, data in small.items()}
        contents |= {path: (spool.entry, spool.pieces) for path, spool in spools.items()}
        return Bundle(
            manifest, [contents[path] for path in sorted(contents, key=bundle.file_order)], list(spools.values())
        )


def _in_memory(path: str, data: bytes) -> tuple[Entry, Content]:
    return entry_of(path, data), lambda: iter([data])


def _largest(sizes: list[int], files: dict[str, bytes]) -> LastCheckpoint | None:
    there = [size for size in sizes if checkpoint_path(size) in files]
    if not there:
        return None
    return LastCheckpoint(size=there[-1], sha256=record.tx_hash(files[checkpoint_path(there[-1])]))
