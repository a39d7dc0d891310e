# SPDX-License-Identifier: Apache-2.0
"""Record exports in the chain of `_admin`: that one was begun, and each address that was handed out.

Invariant: the act is sealed before the export begins, and before its address is returned; what cannot be recorded is
not done (docs/adr/0019). It is not in the organisation's own chain, where asking for an export of an open range would
change that range.
"""

from __future__ import annotations

from dataclasses import dataclass

from indelible.domain import instants
from indelible.domain.canonical import JsonObject
from indelible.domain.export_job import ExportJob, ExportState
from indelible.domain.identity import Identity, Principal, Token
from indelible.domain.organisation import OrgConfig
from indelible.services.admin_log import AdminLog

BEGIN, DOWNLOAD = "export.begin", "export.download"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks. `known_by` has what identified them: `key_id`, `subject` (of a token) or `principal` (ARN)."""

    actor: str
    known_by: JsonObject


def asker(arguments: JsonObject, org: OrgConfig, identity: Identity | None) -> Asker:
    """Who was authenticated with these arguments. Without a `key_id` that is the newest active key."""
    known_by: JsonObject = {}
    actor = org.org_id
    if "signature" in arguments:
        key_id = str(arguments.get("key_id") or next((key.key_id for key in reversed(org.active_keys())), ""))
        actor, known_by["key_id"] = f"{org.org_id}/{key_id}", key_id
    if isinstance(identity, Token):
        known_by["subject"] = identity.claims.get("sub")
        actor = identity.claims.get("sub") or org.org_id
    if isinstance(identity, Principal):
        actor = known_by["principal"] = identity.arn
    return Asker(actor, known_by)


class ExportActs:
    """Records exports in the name of their clients."""

    def __init__(self, *, admin_log: AdminLog) -> None:
        self._admin_log = admin_log

    def begin(self, job: ExportJob, by: Asker, *, deadline_ms: int) -> None:
        """Record that an export is begun. Raises what `AdminLog.write` raises."""
        self._write(BEGIN, job, by, {}, deadline_ms)

    def hand_out(self, state: ExportState, by: Asker, *, expires_ms: int, deadline_ms: int) -> None:
        """Record that the addresses of a finished export are returned. Raises what `AdminLog.write` raises."""
        what: JsonObject = {"sha256": state.sha256, "expires_at": instants.to_text(expires_ms)}
        if state.bundle_sha256 is not None:
            what["proved_by"] = state.bundle_sha256
        self._write(DOWNLOAD, state.job, by, what, deadline_ms)

    def _write(self, action: str, job: ExportJob, by: Asker, what: JsonObject, deadline_ms: int) -> None:
        payload: JsonObject = {
            "export_id": job.export_id,
            "first_sequence": job.first,
            "last_sequence": job.last,
            "format": job.format,
            **by.known_by,
            **what,
        }
        self._admin_log.write(action, job.org_id, payload, actor=by.actor, deadline_ms=deadline_ms)
