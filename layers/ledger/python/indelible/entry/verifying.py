# SPDX-License-Identifier: Apache-2.0
"""Verifying a range of an organisation's chain. Shared by REST and MCP."""

from __future__ import annotations

from dataclasses import asdict

from indelible.domain import event
from indelible.domain.canonical import JsonObject
from indelible.entry.limits import VERIFYING, OrgLimits
from indelible.entry.models import FailureModel, VerifyRequest, VerifyResponse
from indelible.entry.operations import Caller, Routes
from indelible.entry.proof_models import CheckpointModel
from indelible.entry.ranges import asked_range
from indelible.services.authenticate import Authenticator
from indelible.services.verify import Verifier


class ChainReader:
    """Verify a range."""

    def __init__(self, *, authenticator: Authenticator, limits: OrgLimits, verifier: Verifier) -> None:
        self._authenticator = authenticator
        self._limits = limits
        self._verifier = verifier
        self.routes: Routes = {"POST /v1/verify": self.verify}

    def verify(self, arguments: JsonObject, caller: Caller) -> VerifyResponse:
        """Re-read a range from the bucket and report everything that is wrong with it."""
        request = event.validate(self._authenticator.complete(arguments, caller.identity), VerifyRequest)
        asked = asked_range(request)
        org = self._authenticator.authenticate(
            arguments, claimed_org=caller.claimed_org, writes=False, identity=caller.identity
        )
        self._limits.spend(org.org_id, VERIFYING)
        verdict = self._verifier.verify(org.org_id, asked, deadline_ms=caller.deadline_ms)
        return VerifyResponse(
            valid=verdict.valid,
            entries_checked=verdict.entries_checked,
            first_broken_at=verdict.first_broken_at,
            verification_time_ms=verdict.verification_time_ms,
            failures=[FailureModel(**asdict(failure)) for failure in verdict.failures],
            failures_total=verdict.failures_total,
            pending=verdict.pending,
            complete=verdict.complete,
            next_seq=verdict.next_seq,
            checkpoint=CheckpointModel.of(verdict.checkpoint) if verdict.checkpoint else None,
        )
