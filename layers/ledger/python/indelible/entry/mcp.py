# SPDX-License-Identifier: Apache-2.0
"""The MCP endpoint: stateless Streamable HTTP with plain JSON responses, for both eras of the protocol.

Neither era has sessions here, so any instance of the function can answer any request.

Invariant: an error of an operation is the result of the tool (`isError`, with the error object of REST); an error of
the protocol is a JSON-RPC error. Nothing raises, and the caller sees nothing of an unexpected exception.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from indelible import __version__
from indelible.domain.identity import Identity
from indelible.entry import gateway, identity, jsonrpc, mcp_rules, mcp_tools
from indelible.entry.invocation import LambdaContext, deadline_ms
from indelible.entry.jsonrpc import Message, RpcError
from indelible.entry.operations import Caller, Routes
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.errors import InvalidJson, LedgerError, TooLarge
from indelible.ports import Clock

SERVER_INFO = {"name": "indelible", "title": "Indelible audit ledger", "version": __version__}
INSTRUCTIONS = (
    "An audit ledger for AI decisions: what is recorded here cannot be changed or erased. Record each consequential "
    "step with record_audit_event and keep the receipt; get_audit_proof shows one record again, verify_chain checks "
    "the history. Every call names the organisation (org_id) and is signed by the program that holds its secret "
    "(signature): the secret belongs in no prompt. Errors have a stable code and name the field at fault; call again "
    "only when retryable is true, with the same idempotency_key."
)

_CACHEABLE: Mapping[str, object] = {"ttlMs": 3_600_000, "cacheScope": "public"}
_PREFLIGHT = {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": (
        "content-type, accept, mcp-protocol-version, mcp-method, mcp-name, x-novus-org-id, authorization"
    ),
    "access-control-max-age": "600",
}

Members: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class McpServer:
    """The operations by their REST routes, and the origins of web pages that may call from a browser."""

    routes: Routes
    allowed_origins: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, *routes: Routes, allowed_origins: str = "") -> McpServer:
        """`allowed_origins` is INDELIBLE_ALLOWED_ORIGINS: `https://a.example, https://b.example:8443`."""
        listed = (origin.strip().rstrip("/") for origin in allowed_origins.split(","))
        return cls({route: run for one in routes for route, run in one.items()}, frozenset(filter(None, listed)))


def serve(
    event: dict[str, Any],
    context: LambdaContext,
    *,
    server: Callable[[], McpServer],
    telemetry: PowertoolsTelemetry,
    clock: Clock,
) -> dict[str, Any]:
    """Answer one HTTP request. Never raises."""
    telemetry.begin(context.aws_request_id)
    try:
        until_ms = deadline_ms(context, clock, keep_ms=gateway.ANSWERING_MS)
        headers = {name: value.strip() for name, value in gateway.headers(event).items()}
        exchange = _Exchange(headers, identity.from_event(event), until_ms, server, telemetry, context)
        cors = exchange.cors_headers()
        method = event["requestContext"]["http"]["method"]
        if method == "OPTIONS" and cors:
            return _http(204, b"", cors | _PREFLIGHT)
        if method != "POST":
            error = RpcError(jsonrpc.INVALID_REQUEST, "only POST is served: there are no streams and no sessions")
            return _http(405, jsonrpc.encode_error(error), cors | {"allow": "POST"})
        return _http(*exchange.respond(event), cors)
    except RpcError as error:
        return _http(error.status, jsonrpc.encode_error(error))
    except Exception:
        bug = _report_unexpected(context, telemetry)
        return _http(bug.status, jsonrpc.encode_error(bug))
    finally:
        telemetry.flush()


@dataclass(frozen=True, slots=True)
class _Exchange:
    """One HTTP request, and everything that is needed to answer it."""

    headers: Mapping[str, str]
    identity: Identity | None
    deadline_ms: int
    server: Callable[[], McpServer]
    telemetry: PowertoolsTelemetry
    context: LambdaContext

    def cors_headers(self) -> dict[str, str]:
        """The headers of every response to a web page. Raises RpcError when pages of its origin may not call."""
        origin = self.headers.get("origin")
        if origin is None:
            return {}
        if not mcp_rules.allows_origin(origin, self.headers.get("host", ""), self.server().allowed_origins):
            raise RpcError(jsonrpc.INVALID_REQUEST, "web pages of this origin may not call", status=403)
        return {"access-control-allow-origin": origin, "vary": "origin"}

    def respond(self, event: dict[str, Any]) -> tuple[int, bytes]:
        """Status and body of the response to a POST."""
        try:
            message = jsonrpc.parse(_body(event))
        except RpcError as error:
            return error.status, jsonrpc.encode_error(error)
        if message.id is None:
            return 202, b""  # no notification asks anything of this server
        try:
            modern = mcp_rules.check_revision(message, self.headers)
        except RpcError as error:
            return error.status, jsonrpc.encode_error(error, message.id)
        try:
            method = (_MODERN if modern else _HANDSHAKE).get(message.method)
            if method is None:
                raise RpcError(jsonrpc.METHOD_NOT_FOUND, "this method is not known here", status=404)
            members = method(self, message)
        except Exception as raised:
            failure = raised if isinstance(raised, RpcError) else _report_unexpected(self.context, self.telemetry)
            # Clients of the handshake era read errors only under 200, and take 404 as the end of a session.
            return failure.status if modern else 200, jsonrpc.encode_error(failure, message.id)
        if modern:
            members = {"resultType": "complete", **members, "_meta": {mcp_rules.SERVER_META: SERVER_INFO}}
        return 200, jsonrpc.encode_result(message.id, members)

    def discover(self, _message: Message) -> Members:
        """server/discover."""
        return {
            "supportedVersions": mcp_rules.SUPPORTED_VERSIONS,
            "capabilities": {"tools": {}},
            "instructions": INSTRUCTIONS,
            **_CACHEABLE,
        }

    def initialize(self, message: Message) -> Members:
        """initialize: agree on a revision. Nothing is kept of it."""
        requested, known = message.params.get("protocolVersion"), mcp_rules.HANDSHAKE_VERSIONS
        if not isinstance(requested, str):
            raise RpcError(jsonrpc.INVALID_PARAMS, "params.protocolVersion must be a string")
        return {
            "protocolVersion": requested if requested in known else known[0],
            "capabilities": {"tools": {}},
            "serverInfo": SERVER_INFO,
            "instructions": INSTRUCTIONS,
        }

    def ping(self, _message: Message) -> Members:
        """ping."""
        return {}

    def list_tools(self, message: Message) -> Members:
        """tools/list: all tools in one page."""
        if "cursor" in message.params:
            raise RpcError(jsonrpc.INVALID_PARAMS, "params.cursor is none of this server's: there is one page")
        return {"tools": mcp_tools.describe_all()}

    def list_tools_cacheable(self, message: Message) -> Members:
        """tools/list of 2026-07-28, which says how long clients may cache it."""
        return {**self.list_tools(message), **_CACHEABLE}

    def call_tool(self, message: Message) -> Members:
        """tools/call. An error of the operation is the tool's result, so that the agent can correct its call."""
        tool = mcp_tools.find(message.params.get("name"))
        if tool is None:
            raise RpcError(jsonrpc.INVALID_PARAMS, "unknown tool: tools/list names those there are")
        arguments = message.params.get("arguments", {})
        if not isinstance(arguments, dict):
            raise RpcError(jsonrpc.INVALID_PARAMS, "params.arguments must be an object")
        caller = Caller(
            claimed_org=self.headers.get("x-novus-org-id"),
            deadline_ms=self.deadline_ms,
            trace_id=mcp_rules.trace_id(message.meta.get("traceparent")),
            identity=self.identity,
        )
        try:
            if message.fault is not None:
                raise message.fault
            return mcp_tools.success(self.server().routes[tool.route](arguments, caller))
        except LedgerError as error:
            gateway.log_refusal(error, self.telemetry)
            return mcp_tools.failure(error)


_Method: TypeAlias = Callable[[_Exchange, Message], Members]
_MODERN: Mapping[str, _Method] = {
    "server/discover": _Exchange.discover,
    "tools/list": _Exchange.list_tools_cacheable,
    "tools/call": _Exchange.call_tool,
}
_HANDSHAKE: Mapping[str, _Method] = {
    "initialize": _Exchange.initialize,
    "ping": _Exchange.ping,
    "tools/list": _Exchange.list_tools,
    "tools/call": _Exchange.call_tool,
}


def _body(event: dict[str, Any]) -> bytes:
    try:
        return gateway.body(event)
    except InvalidJson as error:
        raise RpcError(jsonrpc.PARSE_ERROR, error.message) from None
    except TooLarge as error:
        data = {"error": error.as_dict()}
        raise RpcError(jsonrpc.INVALID_REQUEST, error.message, data=data, status=error.status) from None


def _report_unexpected(context: LambdaContext, telemetry: PowertoolsTelemetry) -> RpcError:
    bug = gateway.report_unexpected(context, telemetry)
    return RpcError(jsonrpc.INTERNAL_ERROR, bug.message, status=bug.status)


def _http(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    kind = {"content-type": "application/json"} if body else {}
    return {
        "statusCode": status,
        "headers": {**kind, "cache-control": "no-store", **(headers or {})},
        "body": body.decode(),
    }
