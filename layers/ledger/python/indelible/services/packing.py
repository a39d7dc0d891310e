# SPDX-License-Identifier: Apache-2.0
"""Make one export that was asked for, and note what became of it.

Invariant: an export is noted as ready only after its whole file is stored and locked under the hash that is noted.
Whatever happens, something is noted: nobody waits for an export that will never come. Doing it twice does no harm.
"""

from __future__ import annotations

import hashlib

from indelible.domain.export_job import ExportJob, ExportState
from indelible.errors import LedgerError, TooLarge
from indelible.ports import Clock, ExportStore, Telemetry
from indelible.services.export import Bundle, Exporter
from indelible.services.ranges import Range


class Packer:
    """For the function that has time, memory and room on disk, and no caller."""

    def __init__(self, *, exporter: Exporter, store: ExportStore, clock: Clock, telemetry: Telemetry) -> None:
        self._exporter = exporter
        self._store = store
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
            sha256, size = _digest(made)
            kept_until_ms = self._store.keep(job, made.pieces(), sha256=sha256)
        finally:
            made.close()
        state = ExportState(
            job=job,
            status="ready",
            at_ms=self._clock.now_ms(),
            sha256=sha256,
            size=size,
            records=made.manifest.records,
            valid=made.manifest.exported.valid,
            kept_until_ms=kept_until_ms,
        )
        self._store.settle(state)
        self._telemetry.count("RecordsExported", made.manifest.records)
        return state

    def _failed(self, job: ExportJob, code: str) -> ExportState:
        self._telemetry.count("ExportFailures")
        self._telemetry.note("export failed", org_id=job.org_id, export_id=job.export_id, code=code)
        state = ExportState(job=job, status="failed", at_ms=self._clock.now_ms(), code=code)
        self._store.settle(state)
        return state


def _digest(made: Bundle) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for piece in made.pieces():
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size
