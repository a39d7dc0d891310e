# SPDX-License-Identifier: Apache-2.0
"""The ledger's operations, the same behind every door: arguments in, a model out, or a LedgerError.

Each checks the shape first (it is the same for everybody, so it tells nothing), then who asks, then acts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TypeAlias

from msgspec import UNSET, Struct, UnsetType

from indelible.domain import credentials, event
from indelible.domain.canonical import JsonObject, canonical_bytes
from indelible.domain.checkpoint import Checkpoint
from indelible.domain.identity import Identity
from indelible.domain.organisation import OrgConfig
from indelible.domain.record import GovernorKey
from indelible.domain.sanitize import sanitize
from indelible.entry.env import Settings
from indelible.entry.limits import VERIFYING, OrgLimits
from indelible.entry.models import (
    BatchRequest,
    BatchResponse,
    FailureModel,
    RecordRequest,
    RecordResponse,
    VerifyRequest,
    VerifyResponse,
)
from indelible.entry.proof_models import CheckpointModel
from indelible.entry.ranges import asked_range
from indelible.errors import InvalidRequest, TooLarge
from indelible.ports import Clock, SecretSource
from indelible.services.append import Appender, Submission
from indelible.services.authenticate import Authenticator
from indelible.services.verify import Verifier


@dataclass(frozen=True, slots=True)
class Caller:
    """What a door knows besides the arguments: the X-Novus-Org-ID header, and when the answer must be there.

    `trace_id` is that of the call itself; it stands in for an event's own, and no signature covers it. `identity` is
    who the gateway has found it to be.
    """

    claimed_org: str | None
    deadline_ms: int
    trace_id: str | None = None
    identity: Identity | None = None


Operation: TypeAlias = Callable[[JsonObject, Caller], Struct]
Routes: TypeAlias = Mapping[str, Operation]

# Sealing comes after the last attempt to commit and wants its own time.
_SEALING_MS = 8_000
# An organisation whose writers crowd each other out shall not hold the functions of all others meanwhile.
_PATIENCE_MS = 6_000


class Recorder:
    """Record one event, or many."""

    def __init__(
        self,
        *,
        settings: Settings,
        authenticator: Authenticator,
        limits: OrgLimits,
        appender: Appender,
        secrets: SecretSource,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._limits = limits
        self._authenticator = authenticator
        self._appender = appender
        self._secrets = secrets
        self._governors: dict[str, GovernorKey] = {}
        self.routes: Routes = {"POST /v1/record": self.record, "POST /v1/record/batch": self.record_batch}

    def record(self, arguments: JsonObject, caller: Caller) -> RecordResponse:
        """Seal one event and return its receipt."""
        request = event.validate(self._authenticator.complete(arguments, caller.identity), RecordRequest)
        sent = event.from_arguments(arguments, request)
        org = self._authenticator.authenticate(
            arguments, claimed_org=caller.claimed_org, writes=True, identity=caller.identity
        )
        self._limits.spend(org.org_id, 1)
        submission = self._submission(org, [sent], request.idempotency_key, caller)
        if caller.trace_id is not None and "trace_id" not in sent:
            traced = _sealable({**sent, "trace_id": caller.trace_id})
            submission = replace(submission, events=(traced,), asked=submission.events)
        try:
            return RecordResponse(receipt=self._appender.append(submission)[0])
        except TooLarge as error:
            error.field = max(sent, key=lambda name: len(canonical_bytes(sent[name])))
            raise

    def record_batch(self, arguments: JsonObject, caller: Caller) -> BatchResponse:
        """Seal up to a hundred events as consecutive records and return a receipt for each."""
        request = event.validate(self._authenticator.complete(arguments, caller.identity), BatchRequest)
        given = arguments["events"]
        sent = []
        for position, (one, checked) in enumerate(zip(given, request.events, strict=True)):  # type: ignore[arg-type]
            try:
                sent.append(event.from_arguments(one, checked))  # type: ignore[arg-type]
            except InvalidRequest as error:
                error.field = f"events[{position}].{error.field}"
                raise
        org = self._authenticator.authenticate(
            arguments, claimed_org=caller.claimed_org, writes=True, identity=caller.identity
        )
        self._limits.spend(org.org_id, len(sent))
        submission = self._submission(org, sent, request.idempotency_key, caller)
        return BatchResponse(receipts=self._appender.append(submission))

    def _submission(
        self, org: OrgConfig, sent: list[JsonObject], idempotency_key: str | UnsetType, caller: Caller
    ) -> Submission:
        if org.org_id not in self._governors:
            self._governors[org.org_id] = credentials.governor_key(self._secrets.master(), org.org_id)
        return Submission(
            org_id=org.org_id,
            # Sanitizing is the dearest part of a large body: no stranger is worth it.
            events=tuple(_sealable(one) for one in sent),
            retention=self._settings.retention(org.retention_days),
            governor=self._governors[org.org_id],
            deadline_ms=min(caller.deadline_ms - _SEALING_MS, self._clock.now_ms() + _PATIENCE_MS),
            idempotency_key=None if idempotency_key is UNSET else idempotency_key,
        )


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
            checkpoint=checkpoint_model(verdict.checkpoint) if verdict.checkpoint else None,
        )


def _sealable(sent: JsonObject) -> bytes:
    """The canonical bytes of the sanitized event."""
    return canonical_bytes(sanitize(sent))


def checkpoint_model(found: Checkpoint) -> CheckpointModel:
    """A checkpoint as every answer shows it."""
    return CheckpointModel(origin=found.origin, tree_size=found.size, root_hash=found.root.hex())
