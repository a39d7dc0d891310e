# SPDX-License-Identifier: Apache-2.0
"""POST /v1/export. The endpoint authenticates and reads; it packs nothing (`entry.packing`)."""

from __future__ import annotations

from msgspec import UNSET

from indelible.domain import event, instants
from indelible.domain.canonical import JsonObject
from indelible.domain.export_job import BUNDLE, ExportState
from indelible.entry.export_models import ExportRequest, ExportResponse, ProvingBundle
from indelible.entry.limits import EXPORTING, READING, OrgLimits
from indelible.entry.operations import Caller, Routes
from indelible.entry.ranges import asked_range
from indelible.errors import InvalidField
from indelible.ports import Clock
from indelible.services.authenticate import Authenticator
from indelible.services.export_acts import Asker, ExportActs, asker
from indelible.services.export_jobs import ExportJobs

URL_SECONDS = 900
# As for recording: sealing comes after the last attempt to commit and wants its own time.
SEALING_MS = 8_000
_OF_A_RANGE = ("start_seq", "end_seq", "from", "to", "format")


class ExportApi:
    """Ask for evidence, and fetch it."""

    def __init__(
        self, *, authenticator: Authenticator, limits: OrgLimits, jobs: ExportJobs, acts: ExportActs, clock: Clock
    ) -> None:
        self._authenticator = authenticator
        self._acts = acts
        self._limits = limits
        self._jobs = jobs
        self._clock = clock
        self.routes: Routes = {"POST /v1/export": self.export}

    def export(self, arguments: JsonObject, caller: Caller) -> ExportResponse:
        """Begin or find the export of a range; or, by its id, say what has become of one."""
        request = event.validate(self._authenticator.complete(arguments, caller.identity), ExportRequest)
        asked = asked_range(request)
        if request.export_id is not UNSET:
            also = next((name for name in _OF_A_RANGE if name in arguments), None)
            if also is not None:
                raise InvalidField("ask for a range, or for an export_id, not for both", field=also)
        org = self._authenticator.authenticate(
            arguments, claimed_org=caller.claimed_org, writes=False, identity=caller.identity
        )
        by, sealed_by_ms = asker(arguments, org, caller.identity), caller.deadline_ms - SEALING_MS
        if request.export_id is not UNSET:
            self._limits.spend(org.org_id, READING)
            state = self._jobs.find(org.org_id, request.export_id)
            if state.status == "ready":
                self._limits.spend(org.org_id, EXPORTING - READING)  # an address is a record of its own
            return self._answer(state, by, sealed_by_ms)
        self._limits.spend(org.org_id, EXPORTING)
        state = self._jobs.ask(
            org.org_id,
            asked,
            deadline_ms=caller.deadline_ms,
            form=BUNDLE if request.format is UNSET else request.format,
            before=lambda job: self._acts.begin(job, by, deadline_ms=sealed_by_ms),
        )
        return self._answer(state, by, sealed_by_ms)

    def _answer(self, state: ExportState, by: Asker, sealed_by_ms: int) -> ExportResponse:
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
