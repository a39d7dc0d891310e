# SPDX-License-Identifier: Apache-2.0
"""POST /v1/record, POST /v1/record/batch and record_audit_event: append events to an organisation's chain.

Invariant: what is recorded is what the caller sent and signed, sanitized; the only thing added is the trace of the
call, where the event names none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from msgspec import UnsetType

from indelible.domain import credentials, event
from indelible.domain.canonical import JsonObject, canonical_bytes
from indelible.domain.organisation import OrgConfig
from indelible.domain.record import GovernorKey
from indelible.domain.sanitize import sanitize
from indelible.entry.env import Settings
from indelible.entry.gate import RequestGate
from indelible.entry.limits import RECORD_COST
from indelible.entry.models import BatchRequest, BatchResponse, RecordRequest, RecordResponse
from indelible.entry.operations import Caller, Routes
from indelible.errors import InvalidRequest, TooLarge
from indelible.ports import Clock, SecretSource
from indelible.services.append import Appender
from indelible.services.submission import Submission

_SEALING_MS = 8_000
"""Kept for writing the records to the bucket, which comes after the last attempt to commit."""
_COMMITTING_MS = 6_000
"""The longest that a request may try to commit: writers of one organisation that contend must not hold the functions
that serve all others."""


@dataclass(frozen=True, slots=True)
class _Recording:
    """A well-formed request: the events under their proper names, not sanitized yet."""

    events: list[JsonObject]
    idempotency_key: str | None

    @property
    def cost(self) -> int:
        return RECORD_COST * len(self.events)


class RecordApi:
    """Operations that write."""

    def __init__(
        self, *, settings: Settings, gate: RequestGate, appender: Appender, secrets: SecretSource, clock: Clock
    ) -> None:
        self._settings = settings
        self._gate = gate
        self._appender = appender
        self._secrets = secrets
        self._clock = clock
        self._governors: dict[str, GovernorKey] = {}
        self.routes: Routes = {"POST /v1/record": self.record, "POST /v1/record/batch": self.record_batch}

    def record(self, arguments: JsonObject, caller: Caller) -> RecordResponse:
        """Seal one event and return its receipt."""
        request, org = self._gate.admit(arguments, caller, _parse_event, writes=True, cost=RECORD_COST)
        (sent,) = request.events
        submission = self._submission(org, request, caller)
        if caller.trace_id is not None and "trace_id" not in sent:
            traced = _canonical_event({**sent, "trace_id": caller.trace_id})
            submission = replace(submission, events=(traced,), asked=submission.events)
        try:
            return RecordResponse(receipt=self._appender.append(submission)[0])
        except TooLarge as error:
            error.field = _largest_field(arguments)
            raise

    def record_batch(self, arguments: JsonObject, caller: Caller) -> BatchResponse:
        """Seal up to a hundred events as consecutive records and return a receipt for each."""
        request, org = self._gate.admit(arguments, caller, _parse_batch, writes=True, cost=lambda batch: batch.cost)
        try:
            return BatchResponse(receipts=self._appender.append(self._submission(org, request, caller)))
        except TooLarge as error:
            if len(request.events) == 1:
                error.field = "events[0]"  # the appender cannot tell a batch of one from an event
            raise

    def _submission(self, org: OrgConfig, request: _Recording, caller: Caller) -> Submission:
        if org.org_id not in self._governors:
            self._governors[org.org_id] = credentials.governor_key(self._secrets.master(), org.org_id)
        return Submission(
            org_id=org.org_id,
            # Sanitizing is the most expensive step for a large body, so it is done for authenticated callers only.
            events=tuple(_canonical_event(one) for one in request.events),
            retention=self._settings.retention(org.retention_days),
            governor=self._governors[org.org_id],
            deadline_ms=min(caller.deadline_ms - _SEALING_MS, self._clock.now_ms() + _COMMITTING_MS),
            idempotency_key=request.idempotency_key,
        )


def _parse_event(arguments: JsonObject) -> _Recording:
    request = event.validate(arguments, RecordRequest)
    return _Recording([event.from_arguments(arguments, request)], _key(request.idempotency_key))


def _parse_batch(arguments: JsonObject) -> _Recording:
    request = event.validate(arguments, BatchRequest)
    sent = cast("list[JsonObject]", arguments["events"])
    events = []
    for position, (one, checked) in enumerate(zip(sent, request.events, strict=True)):
        try:
            events.append(event.from_arguments(one, checked))
        except InvalidRequest as error:
            error.field = f"events[{position}].{error.field}"
            raise
    return _Recording(events, _key(request.idempotency_key))


def _largest_field(arguments: JsonObject) -> str:
    """The event's largest field, under the name that the caller used."""
    fields = (name for name in arguments if name in event.FIELDS)
    return max(fields, key=lambda name: len(canonical_bytes(arguments[name])))


def _key(idempotency_key: str | UnsetType) -> str | None:
    return None if isinstance(idempotency_key, UnsetType) else idempotency_key


def _canonical_event(sent: JsonObject) -> bytes:
    """The bytes to record: the sanitized event in canonical form (RFC 8785)."""
    return canonical_bytes(sanitize(sent))
