# SPDX-License-Identifier: Apache-2.0
"""Recording one event, or many. Shared by REST and MCP."""

from __future__ import annotations

from dataclasses import replace

from msgspec import UNSET, UnsetType

from indelible.domain import credentials, event
from indelible.domain.canonical import JsonObject, canonical_bytes
from indelible.domain.organisation import OrgConfig
from indelible.domain.record import GovernorKey
from indelible.domain.sanitize import sanitize
from indelible.entry.env import Settings
from indelible.entry.limits import OrgLimits
from indelible.entry.models import BatchRequest, BatchResponse, RecordRequest, RecordResponse
from indelible.entry.operations import Caller, Routes
from indelible.errors import InvalidRequest, TooLarge
from indelible.ports import Clock, SecretSource
from indelible.services.append import Appender, Submission
from indelible.services.authenticate import Authenticator

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


def _sealable(sent: JsonObject) -> bytes:
    """The canonical bytes of the sanitized event."""
    return canonical_bytes(sanitize(sent))
