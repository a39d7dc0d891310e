# SPDX-License-Identifier: Apache-2.0
"""The REST door: an API Gateway HTTP API event (payload format 2.0) in, a response out.

Every answer is JSON. Every refusal is `{"error": {"code", "message", "field"?, "retryable"}}` with the status that
errors.py gives its class; what is not a LedgerError is a bug, is logged with its traceback, and says nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from indelible.domain import canonical
from indelible.domain.canonical import JsonObject
from indelible.entry import identity
from indelible.entry.operations import Caller, Routes
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.errors import HeadRegressed, InvalidJson, LedgerError, NotFound, TooLarge
from indelible.ports import Clock

MAX_BODY_BYTES = 1024 * 1024
"""A record has at most 256 KiB; JSON may spell a character in six bytes."""
MAX_BATCH_BODY_BYTES = 5 * 1024 * 1024
"""Lambda takes 6 MB of event, in which the body stands escaped."""

_ANSWERING_MS = 1_500


class Reply(Struct, frozen=True, kw_only=True):
    """What an operation returns where its answer is not the usual one: 200, a model, not to be stored by anybody.

    With `max_age_s` the answer may be kept that long, carries an ETag, and is 304 for whoever has it already.
    """

    content: Struct | bytes
    status: int = 200
    max_age_s: int | None = None


class Door(Protocol):
    """Anything with routes."""

    routes: Routes


class LambdaContext(Protocol):
    """What is used of Lambda's context object."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds before Lambda ends the invocation."""
        ...


def serve(
    event: dict[str, Any],
    context: LambdaContext,
    *,
    door: Callable[[], Door],
    telemetry: PowertoolsTelemetry,
    clock: Clock,
) -> dict[str, Any]:
    """Answer one request. Never raises: API Gateway would turn it into an answer without a code."""
    telemetry.begin(context.aws_request_id)
    try:
        deadline_ms = clock.now_ms() + context.get_remaining_time_in_millis() - _ANSWERING_MS
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        route = str(event.get("routeKey", ""))
        operation = door().routes.get(route)
        if operation is None:
            raise NotFound("no such route")
        claimed_org = headers.get("x-novus-org-id")
        caller = Caller(claimed_org=claimed_org, deadline_ms=deadline_ms, identity=identity.of(event))
        return _reply(operation(_arguments(event, route), caller), headers.get("if-none-match", ""))
    except LedgerError as error:
        if error.status >= 500:
            telemetry.note("refused", code=error.code, detail=error.message)
        if isinstance(error, HeadRegressed):
            telemetry.count("HeadRegressed")
        return _answer(error.status, {"error": error.as_dict()}, retryable=error.retryable)
    except Exception:
        telemetry.logger.exception("unexpected error")
        telemetry.count("UnexpectedErrors")
        message = f"unexpected error; quote request {context.aws_request_id} to the operator"
        return _answer(500, {"error": LedgerError(message).as_dict()})
    finally:
        telemetry.flush()


def _arguments(event: dict[str, Any], route: str) -> JsonObject:
    if route.startswith("GET "):
        return {}
    body = event.get("body") or ""
    try:
        data = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except (binascii.Error, UnicodeEncodeError):
        raise InvalidJson("the body is not UTF-8", field="body") from None
    limit = MAX_BATCH_BODY_BYTES if route.endswith("/batch") else MAX_BODY_BYTES
    if len(data) > limit:
        raise TooLarge(f"the body may have at most {limit} bytes, this one has {len(data)}", field="body")
    return canonical.parse(data)


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
