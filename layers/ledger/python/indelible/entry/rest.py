# SPDX-License-Identifier: Apache-2.0
"""The REST API: an API Gateway HTTP API event (payload format 2.0) in, a response out.

Invariant: every response is JSON, and every error is `{"error": {"code", "message", "field"?, "retryable"}}` with the
status of its class in errors.py. Any other exception than LedgerError is a bug: it is logged, and the caller sees
nothing of it.
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
    """What an operation returns for a response other than the usual one: status 200, a model, `no-store`.

    With `max_age_s` caches may keep the response that long; it has an ETag, and a matching If-None-Match gets 304.
    """

    content: Struct | bytes
    status: int = 200
    max_age_s: int | None = None


class RestApi(Protocol):
    """Operations by the HTTP API's route keys, such as `POST /v1/record`."""

    routes: Routes


def serve(
    event: dict[str, Any],
    context: LambdaContext,
    *,
    api: Callable[[], RestApi],
    telemetry: PowertoolsTelemetry,
    clock: Clock,
) -> dict[str, Any]:
    """Answer one request. Never raises: API Gateway would answer an exception without an error code."""
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
            identity=identity.from_event(event),
        )
        return _respond(operation(_arguments(event, route), caller), headers.get("if-none-match", ""))
    except LedgerError as error:
        gateway.log_refusal(error, telemetry)
        return _response(error.status, {"error": error.as_dict()}, retryable=error.retryable)
    except Exception:
        bug = gateway.report_unexpected(context, telemetry)
        return _response(bug.status, {"error": bug.as_dict()})
    finally:
        telemetry.flush()


def _arguments(event: dict[str, Any], route: str) -> JsonObject:
    if route.startswith("GET "):
        return {}
    limit = gateway.MAX_BATCH_BODY_BYTES if route.endswith("/batch") else gateway.MAX_BODY_BYTES
    return canonical.parse(gateway.body(event, limit=limit))


def _respond(result: Struct, if_none_match: str) -> dict[str, Any]:
    if not isinstance(result, Reply):
        return _response(200, result)
    response = _response(result.status, result.content)
    if result.max_age_s is not None:
        etag = f'"{hashlib.sha256(response["body"].encode()).hexdigest()[:32]}"'
        response["headers"] |= {"cache-control": f"public, max-age={result.max_age_s}", "etag": etag}
        if _matches(if_none_match, etag):
            del response["headers"]["content-type"]
            return {**response, "statusCode": 304, "body": ""}
    return response


def _matches(if_none_match: str, etag: str) -> bool:
    """Weak comparison with a list of tags, or with `*`, any (RFC 9110 §13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or tags == ["*"]


def _response(status: int, body: object, *, retryable: bool = False) -> dict[str, Any]:
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    if retryable:
        headers["retry-after"] = "1"
    text = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return {"statusCode": status, "headers": headers, "body": text.decode()}
