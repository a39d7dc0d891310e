# SPDX-License-Identifier: Apache-2.0
"""POST /v1/verify and verify_chain: check a range of an organisation's chain against the bucket.

Invariant: an organisation can verify its own chain only.
"""

from __future__ import annotations

from dataclasses import asdict

from indelible.domain import event
from indelible.domain.canonical import JsonObject
from indelible.entry.gate import RequestGate
from indelible.entry.limits import VERIFY_COST
from indelible.entry.models import FailureModel, VerifyRequest, VerifyResponse
from indelible.entry.operations import Caller, Routes
from indelible.entry.proof_models import CheckpointModel
from indelible.entry.ranges import requested_range
from indelible.services.ranges import Range
from indelible.services.verify import Verifier


class VerifyApi:
    """Operations on a chain as a whole."""

    def __init__(self, *, gate: RequestGate, verifier: Verifier) -> None:
        self._gate = gate
        self._verifier = verifier
        self.routes: Routes = {"POST /v1/verify": self.verify}

    def verify(self, arguments: JsonObject, caller: Caller) -> VerifyResponse:
        """Re-read a range from the bucket and report everything that is wrong with it."""
        requested, org = self._gate.admit(arguments, caller, _parse, writes=False, cost=VERIFY_COST)
        verdict = self._verifier.verify(org.org_id, requested, deadline_ms=caller.deadline_ms)
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


def _parse(arguments: JsonObject) -> Range:
    return requested_range(event.validate(arguments, VerifyRequest))
