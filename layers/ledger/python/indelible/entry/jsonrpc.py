# SPDX-License-Identifier: Apache-2.0
"""JSON-RPC 2.0 as MCP narrows it: one request or notification in, one response out, never a batch.

Invariant: for any bytes, `parse` returns a well-formed message or raises RpcError. What the strict parser refuses
inside a tool's arguments (a duplicate member, a number beyond 2^53) is no protocol error: it is kept in
`Message.fault`, so that the agent gets it as the result of the tool.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import msgspec

from indelible.domain import canonical
from indelible.domain.canonical import JsonObject, JsonValue
from indelible.errors import InvalidJson, LedgerError

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
HEADER_MISMATCH = -32020
"""MCP 2026-07-28: a header is missing or differs from the body."""
UNSUPPORTED_VERSION = -32022
"""MCP 2026-07-28: `data` holds `supported` and `requested`."""

Id: TypeAlias = "str | int"


class RpcError(Exception):
    """A protocol error. `message` names members and limits, never values."""

    def __init__(
        self, code: int, message: str, *, data: object = None, status: int = 400, request_id: Id | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data
        self.status = status
        self.request_id = request_id


@dataclass(frozen=True, slots=True)
class Message:
    """A request, or a notification when `id` is None. `fault`: the tool's arguments are not acceptable JSON."""

    id: Id | None
    method: str
    params: JsonObject
    fault: LedgerError | None = None

    @property
    def meta(self) -> JsonObject:
        """`params._meta`, empty when absent."""
        meta = self.params.get("_meta", {})
        return meta if isinstance(meta, dict) else {}


def parse(data: bytes) -> Message:
    """The message in the body of a POST. Raises RpcError."""
    try:
        value = canonical.decode(data)
        envelope, arguments = _split_arguments(value)
        canonical.check(envelope)
    except InvalidJson as error:
        raise RpcError(PARSE_ERROR, error.message) from None
    except LedgerError as error:
        raise RpcError(INVALID_REQUEST, error.message, data={"error": error.as_dict()}) from None
    if isinstance(value, list):
        raise RpcError(INVALID_REQUEST, "batches are not supported: send one message in each POST")
    if not isinstance(value, dict):
        raise RpcError(INVALID_REQUEST, "a message is a JSON object")
    message = _message(value)
    try:
        canonical.check(arguments)
    except LedgerError as error:
        return replace(message, params={**message.params, "arguments": {}}, fault=error)
    return message


def _split_arguments(value: object) -> tuple[object, object]:
    """The message without its tool's arguments, and the arguments, which have the limits of a REST body."""
    params = value.get("params") if isinstance(value, dict) and value.get("method") == "tools/call" else None
    if not isinstance(params, dict) or "arguments" not in params:
        return value, {}
    return {**value, "params": {**params, "arguments": {}}}, params["arguments"]  # type: ignore[dict-item]


def encode_result(request_id: Id | None, members: dict[str, object]) -> bytes:
    """A response with a result."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": request_id, "result": members})


def encode_error(error: RpcError, request_id: Id | None = None) -> bytes:
    """A response with an error; without `id` when that of the request could not be read."""
    body: dict[str, object] = {"code": error.code, "message": error.message}
    if error.data is not None:
        body["data"] = error.data
    if request_id is None:
        request_id = error.request_id
    id_member = {} if request_id is None else {"id": request_id}
    return msgspec.json.encode({"jsonrpc": "2.0", **id_member, "error": body})


def _message(body: JsonObject) -> Message:
    request_id = _id(body)
    method, params = body.get("method"), body.get("params", {})
    if body.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_REQUEST, "jsonrpc must be 2.0", request_id=request_id)
    if not isinstance(method, str):
        raise RpcError(INVALID_REQUEST, "method must be a string; no responses are expected", request_id=request_id)
    if request_id is None and not method.startswith("notifications/"):
        # It would be answered with an empty 202: a tools/call would record and return no receipt.
        raise RpcError(INVALID_REQUEST, "a request needs an id; only notifications have none")
    if not isinstance(params, dict) or not isinstance(params.get("_meta", {}), dict):
        raise RpcError(INVALID_PARAMS, "params and params._meta must be objects", request_id=request_id)
    return Message(request_id, method, params)


def _id(body: JsonObject) -> Id | None:
    if "id" not in body:
        return None
    request_id: JsonValue = body["id"]
    if isinstance(request_id, bool) or not isinstance(request_id, (str, int)):
        raise RpcError(INVALID_REQUEST, "id must be a string or an integer")
    return request_id
