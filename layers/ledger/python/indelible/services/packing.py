# SPDX-License-Identifier: Apache-2.0
"""Make one export that was asked for, and note what became of it.

Invariant: an export is noted as ready only after its whole file is stored and locked under the hash that is noted; a
view only after the bundle that it names is, beside it. Whatever happens, something is noted: nobody waits for an export
that will never come. Doing it twice does no harm.

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
class _Stored:
    sha256: str
    size: int
    kept_until_ms: int


class Packer:
    """For the function that has time, memory and room on disk, and no caller."""

    def __init__(
        self, *, exporter: Exporter, store: ExportStore, scratch: Scratch, clock: Clock, telemetry: Telemetry
    ) -> None:
        self._exporter = exporter
        self._store = store
        self._scratch = scratch
        self._clock = clock
        self._telemetry = telemetry

    def run(self, job: ExportJob, *, deadline_ms: int) -> ExportState:
        """Pack, store and note. Raises what went wrong after it has been noted, but for refusals."""
        try:
            state = self._packed(job, deadline_ms)
        except LedgerError as error:
            state = self._failed(job, error.code)
            if error.status >= 500:
                raise
        except Exception:
            self._failed(job, LedgerError.code)
            raise
        return state

    def _packed(self, job: ExportJob, deadline_ms: int) -> ExportState:
        def in_time(_: int) -> None:
            if self._clock.now_ms() >= deadline_ms:
                raise TooLarge("the range cannot be read in the time there is; export it in parts", field="end_seq")

        asked = Range(start_seq=job.first, end_seq=job.last)
        made = self._exporter.bundle(job.org_id, asked, progress=in_time)
        try:
            bundle = self._stored(job, BUNDLE, made.pieces)
            file = bundle if job.format == BUNDLE else self._viewed(job, made, bundle.sha256, in_time)
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
        self._store.settle(state)
        self._telemetry.count("RecordsExported", made.manifest.records)
        return state

    def _viewed(self, job: ExportJob, made: Packed, bundle_sha256: str, in_time: Callable[[int], None]) -> _Stored:
        with self._scratch.file() as view:
            write(VIEWS[job.format], made, view, bundle_sha256=bundle_sha256, progress=in_time)
            return self._stored(job, job.format, lambda: _pieces(view))

    def _stored(self, job: ExportJob, form: str, pieces: Callable[[], Iterator[bytes]]) -> _Stored:
        digest, size = hashlib.sha256(), 0
        for piece in pieces():
            digest.update(piece)
            size += len(piece)
        sha256 = digest.hexdigest()
        return _Stored(sha256, size, self._store.keep(job, pieces(), form=form, sha256=sha256))

    def _failed(self, job: ExportJob, code: str) -> ExportState:
        self._telemetry.count("ExportFailures")
        self._telemetry.note("export failed", org_id=job.org_id, export_id=job.export_id, code=code)
        state = ExportState(job=job, status="failed", at_ms=self._clock.now_ms(), code=code)
        self._store.settle(state)
        return state


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(_PIECE):
        yield piece
