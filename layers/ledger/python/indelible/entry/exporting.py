# SPDX-License-Identifier: Apache-2.0
"""POST /v1/export: begin, find and hand out exports of a range of an organisation's chain.

Invariant: an export begins, and its address leaves, only after the act is on record (`services.export_acts`). The files
are packed by another function, which has no secrets (`entry.packing`).
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import UNSET

from indelible.domain import event, instants
from indelible.domain.canonical import JsonObject
from indelible.domain.export_job import BUNDLE, ExportState
from indelible.entry.export_models import ExportRequest, ExportResponse, ProvingBundle
from indelible.entry.gate import RequestGate
from indelible.entry.limits import EXPORT_COST, PROOF_COST
from indelible.entry.operations import Caller, Routes
from indelible.entry.ranges import requested_range
from indelible.errors import InvalidField
from indelible.ports import Clock
from indelible.services.export_acts import Asker, ExportActs, asker
from indelible.services.export_jobs import ExportJobs
from indelible.services.ranges import Range

URL_SECONDS = 900
SEALING_MS = 8_000
"""Kept for writing the record of an act to the bucket, which comes after the last attempt to commit it."""
_RANGE_MEMBERS = ("start_seq", "end_seq", "from", "to", "format")


@dataclass(frozen=True, slots=True)
class _Export:
    """A well-formed request: for a range in a format, or, with `export_id`, for the state of an earlier export."""

    requested: Range
    format: str
    export_id: str | None

    @property
    def cost(self) -> int:
        return EXPORT_COST if self.export_id is None else PROOF_COST


class ExportApi:
    """Operations on exports."""

    def __init__(self, *, gate: RequestGate, jobs: ExportJobs, acts: ExportActs, clock: Clock) -> None:
        self._gate = gate
        self._acts = acts
        self._jobs = jobs
        self._clock = clock
        self.routes: Routes = {"POST /v1/export": self.export}

    def export(self, arguments: JsonObject, caller: Caller) -> ExportResponse:
        """Begin or find the export of a range; or, by its id, return the state of one."""
        request, org = self._gate.admit(arguments, caller, _parse, writes=False, cost=lambda export: export.cost)
        by, sealed_by_ms = asker(arguments, org, caller.identity), caller.deadline_ms - SEALING_MS
        if request.export_id is not None:
            state = self._jobs.find(org.org_id, request.export_id)
            if state.status == "ready":
                # Handing out the address writes a record, as for a new export.
                self._gate.charge(org, EXPORT_COST - PROOF_COST)
            return self._response(state, by, sealed_by_ms)
        state = self._jobs.ask(
            org.org_id,
            request.requested,
            deadline_ms=caller.deadline_ms,
            form=request.format,
            before=lambda job: self._acts.begin(job, by, deadline_ms=sealed_by_ms),
        )
        return self._response(state, by, sealed_by_ms)

    def _response(self, state: ExportState, by: Asker, sealed_by_ms: int) -> ExportResponse:
        expires_ms = self._clock.now_ms() // 1000 * 1000 + URL_SECONDS * 1000
        if state.status == "ready":
            self._acts.hand_out(state, by, expires_ms=expires_ms, deadline_ms=sealed_by_ms)
        url = self._jobs.url(state, expires_in_s=URL_SECONDS)
        bundle_url = self._jobs.bundle_url(state, expires_in_s=URL_SECONDS)
        bundle_sha256 = state.bundle_sha256
        return ExportResponse(
            status=state.status,
            export_id=state.job.export_id,
            format=state.job.format,
            first_sequence=state.job.first,
            last_sequence=state.job.last,
            url=url,
            expires_at=instants.to_text(expires_ms) if url else None,
            kept_until=instants.to_text(state.kept_until_ms) if state.kept_until_ms else None,
            sha256=state.sha256,
            bytes=state.size,
            records=state.records,
            valid=state.valid,
            proved_by=ProvingBundle(sha256=bundle_sha256, url=bundle_url) if bundle_sha256 and bundle_url else None,
            code=state.code,
        )


def _parse(arguments: JsonObject) -> _Export:
    request = event.validate(arguments, ExportRequest)
    requested = requested_range(request)
    if request.export_id is not UNSET:
        also = next((name for name in _RANGE_MEMBERS if name in arguments), None)
        if also is not None:
            raise InvalidField("ask for a range, or for an export_id, not for both", field=also)
    return _Export(
        requested,
        BUNDLE if request.format is UNSET else request.format,
        None if request.export_id is UNSET else request.export_id,
    )
