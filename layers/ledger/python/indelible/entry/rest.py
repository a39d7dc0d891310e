# SPDX-License-Identifier: Apache-2.0
"""The REST API: an API Gateway HTTP API event (payload format 2.0) in, a response out.

Every answer is JSON. Every refusal is `{"error": {"code", "message", "field"?, "retryable"}}` with the status that
errors.py gives its class; what is not a LedgerError is a bug, is logged with its traceback, and says nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from indelible.domain import canonical
from indelible.domain.canonical import JsonObject
from indelible.entry import gateway, identity
from indelible.entry.invocation import LambdaContext, deadline_ms
from indelible.entry.operations import Caller, Routes
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.errors import LedgerError, NotFound
from indelible.ports import Clock


class Reply(Struct, frozen=True, kw_only=True):
    """What an operation returns where its answer is not the usual one: 200, a model, not to be stored by anybody.

    With `max_age_s` the answer may be kept that long, carries an ETag, and is 304 for whoever has it already.
    """

    content: Struct | bytes
    status: int = 200
    max_age_s: int | None = None


class RestApi(Protocol):
    """Anything with routes."""

    routes: Routes


def serve(
    event: dict[str, Any],
    context: LambdaContext,
    *,
    api: Callable[[], RestApi],
    telemetry: PowertoolsTelemetry,
    clock: Clock,
) -> dict[str, Any]:
    """Answer one request. Never raises: API Gateway would turn it into an answer without a code."""
    telemetry.begin(context.aws_request_id)
    try:
        headers = gateway.headers(event)
        route = str(event.get("routeKey", ""))
        operation = api().routes.get(route)
        if operation is None:
            raise NotFound("no such route")
        caller = Caller(
            claimed_org=headers.get("x-novus-org-id"),
            deadline_ms=deadline_ms(context, clock, keep_ms=gateway.ANSWERING_MS),
            identity=identity.of(event),
        )
        return _reply(operation(_arguments(event, route), caller), headers.get("if-none-match", ""))
    except LedgerError as error:
        gateway.note_refusal(error, telemetry)
        return _answer(error.status, {"error": error.as_dict()}, retryable=error.retryable)
    except Exception:
        told = gateway.unexpected(context, telemetry)
        return _answer(told.status, {"error": told.as_dict()})
    finally:
        telemetry.flush()


def _arguments(event: dict[str, Any], route: str) -> JsonObject:
    if route.startswith("GET "):
        return {}
    limit = gateway.MAX_BATCH_BODY_BYTES if route.endswith("/batch") else gateway.MAX_BODY_BYTES
    return canonical.parse(gateway.body(event, limit=limit))


def _reply(answer: Struct, known: str) -> dict[str, Any]:
    if not isinstance(answer, Reply):
        return _answer(200, answer)
    reply = _answer(answer.status, answer.content)
    if answer.max_age_s is not None:
        etag = f'"{hashlib.sha256(reply["body"].encode()).hexdigest()[:32]}"'
        reply["headers"] |= {"cache-control": f"public, max-age={answer.max_age_s}", "etag": etag}
        if etag in (tag.strip().removeprefix("W/") for tag in known.split(",")):
            del reply["headers"]["content-type"]
            return {**reply, "statusCode": 304, "body": ""}
    return reply


def _answer(status: int, body: object, *, retryable: bool = False) -> dict[str, Any]:
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    if retryable:
        headers["retry-after"] = "1"
    text = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return {"statusCode": status, "headers": headers, "body": text.decode()}
