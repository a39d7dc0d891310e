# SPDX-License-Identifier: Apache-2.0
"""Make one export that was asked for, and store what became of it.

Invariant: an export is ready only after its whole file is stored and locked under the hash that its state names; a view
only after the bundle that proves it is stored, too. Whatever happens, the state says so: no caller waits for an export
that will never come. Packing twice does no harm.

A bundle of the same range is another one once more external anchors are stored. So a view is stored with the very
bundle that it was made from, and needs nothing that is made later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from indelible.domain.export_job import BUNDLE, ExportJob, ExportState
from indelible.errors import LedgerError, TooLarge
from indelible.ports import Clock, ExportStore, Scratch, Telemetry
from indelible.services.export import Exporter
from indelible.services.ranges import Range
from indelible.views.formats import VIEWS, Packed, write

_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _StoredFile:
    sha256: str
    size: int
    kept_until_ms: int


class Packer:
    """For the function that has time, memory and disk space for it, and that no client waits for."""

    def __init__(
        self, *, exporter: Exporter, store: ExportStore, scratch: Scratch, clock: Clock, telemetry: Telemetry
    ) -> None:
        self._exporter = exporter
        self._store = store
        self._scratch = scratch
        self._clock = clock
        self._telemetry = telemetry

    def run(self, job: ExportJob, *, deadline_ms: int) -> ExportState:
        """Pack the export, and store its files and its state.

        A refusal, say of a range that is too long, is the state that is returned. Any other error is stored in the
        state, and then raised.
        """
        try:
            state = self._pack(job, deadline_ms)
        except LedgerError as error:
            state = self._fail(job, error.code)
            if error.status >= 500:
                raise
        except Exception:
            self._fail(job, LedgerError.code)
            raise
        return state

    def _pack(self, job: ExportJob, deadline_ms: int) -> ExportState:
        def in_time(_: int) -> None:
            if self._clock.now_ms() >= deadline_ms:
                raise TooLarge("the range cannot be read in the time there is; export it in parts", field="end_seq")

        within = Range(
            start_seq=job.first if job.from_ms is None else None,
            end_seq=job.last if job.to_ms is None else None,
            from_ms=job.from_ms,
            to_ms=job.to_ms,
        )
        made = self._exporter.bundle(job.org_id, within, progress=in_time)
        try:
            bundle = self._store_file(job, BUNDLE, made.pieces)
            file = bundle if job.format == BUNDLE else self._store_view(job, made, bundle.sha256, in_time)
        finally:
            made.close()
        state = ExportState(
            job=job,
            status="ready",
            at_ms=self._clock.now_ms(),
            sha256=file.sha256,
            size=file.size,
            records=made.manifest.records,
            valid=made.manifest.exported.valid,
            bundle_sha256=None if file is bundle else bundle.sha256,
            kept_until_ms=min(file.kept_until_ms, bundle.kept_until_ms),
        )
        self._store.put_state(state)
        self._telemetry.count("RecordsExported", made.manifest.records)
        return state

    def _store_view(self, job: ExportJob, made: Packed, sha256: str, in_time: Callable[[int], None]) -> _StoredFile:
        """`sha256` is the hash of the bundle that proves the view."""
        with self._scratch.file() as view:
            write(VIEWS[job.format], made, view, bundle_sha256=sha256, progress=in_time)
            return self._store_file(job, job.format, lambda: _pieces(view))

    def _store_file(self, job: ExportJob, form: str, pieces: Callable[[], Iterator[bytes]]) -> _StoredFile:
        digest, size = hashlib.sha256(), 0
        for piece in pieces():
            digest.update(piece)
            size += len(piece)
        sha256 = digest.hexdigest()
        kept_until_ms = self._store.put_file(job, pieces(), form=form, sha256=sha256)
        return _StoredFile(sha256, size, kept_until_ms)

    def _fail(self, job: ExportJob, code: str) -> ExportState:
        self._telemetry.count("ExportFailures")
        self._telemetry.note("export failed", org_id=job.org_id, export_id=job.export_id, code=code)
        state = ExportState(job=job, status="failed", at_ms=self._clock.now_ms(), code=code)
        self._store.put_state(state)
        return state


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece
