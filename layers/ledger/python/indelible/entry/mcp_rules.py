# SPDX-License-Identifier: Apache-2.0
"""What MCP's HTTP transport asks of a request before its method is looked at. Pure.

A request declares its revision by `_meta` or header. One that declares 2026-07-28 is held to that revision's rules;
one that declares an earlier one, or none, is of the handshake era and has no rules of this kind.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from indelible.domain.canonical import JsonValue
from indelible.entry.jsonrpc import HEADER_MISMATCH, INVALID_PARAMS, UNSUPPORTED_VERSION, Message, RpcError

MODERN = "2026-07-28"
HANDSHAKE = ("2025-11-25", "2025-06-18")
SUPPORTED = (MODERN, *HANDSHAKE)

VERSION_META = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_META = "io.modelcontextprotocol/clientCapabilities"
SERVER_META = "io.modelcontextprotocol/serverInfo"

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SENTINEL = re.compile(r"=\?base64\?(.*)\?=", re.DOTALL)
# W3C Trace Context §3.2: neither version ff nor an id of zeros is valid; later versions may say more at the end.
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


def declares_modern(message: Message, headers: Mapping[str, str]) -> bool:
    """Whether the request is of 2026-07-28 (True) or of the handshake era.

    Raises RpcError when it breaks the rules of the revision that it declares, or declares one that is not served.
    """
    meta, header = message.meta, headers.get("mcp-protocol-version")
    declared = meta.get(VERSION_META, header)
    if declared is None and CAPABILITIES_META not in meta:
        return False
    if declared is None or (declared == MODERN and VERSION_META not in meta):
        raise RpcError(INVALID_PARAMS, f"params._meta must have {VERSION_META}")
    if not isinstance(declared, str):
        raise RpcError(INVALID_PARAMS, f"params._meta: {VERSION_META} must be a string")
    if header is not None or declared not in HANDSHAKE:
        _match(headers, "MCP-Protocol-Version", declared, f"params._meta {VERSION_META}")
    if declared in HANDSHAKE:
        return False
    if declared != MODERN:
        data = {"supported": SUPPORTED, "requested": declared}
        raise RpcError(UNSUPPORTED_VERSION, "this protocol version is not supported", data=data)
    if not isinstance(meta.get(CAPABILITIES_META), dict):
        raise RpcError(INVALID_PARAMS, f"params._meta must have {CAPABILITIES_META}, an object")
    _match(headers, "Mcp-Method", message.method, "method")
    name = message.params.get("name")
    if message.method == "tools/call" and isinstance(name, str):
        _match(headers, "Mcp-Name", name, "params.name")
    return True


def may_call(origin: str, host: str, allowed: Collection[str]) -> bool:
    """Whether a web page of this origin may call, so that no page can by rebinding its name to this server.

    Those that the operator lists; and on a loopback host, pages that come from loopback themselves.
    """
    return origin in allowed or (_is_loopback(origin) and _is_loopback(f"http://{host}"))


def trace_id(traceparent: JsonValue) -> str | None:
    """The trace-id of a W3C traceparent; None for what is no valid one, which the standard says to ignore."""
    if not isinstance(traceparent, str):
        return None
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None or (found[1] == "00" and found[3]):
        return None
    return found[2]


def _match(headers: Mapping[str, str], name: str, expected: str, member: str) -> None:
    given = headers.get(name.lower())
    if given is None:
        raise RpcError(HEADER_MISMATCH, f"the header {name} is required")
    if name == "Mcp-Name":
        given = _decoded(given)
    if given != expected:
        raise RpcError(HEADER_MISMATCH, f"the header {name} and {member} differ")


def _decoded(value: str) -> str:
    """A header value that may stand in the Base64 sentinel form, `=?base64?…?=`."""
    wrapped = _SENTINEL.fullmatch(value)
    if wrapped is None:
        return value
    try:
        decoded = base64.b64decode(wrapped[1], validate=True)
        if base64.b64encode(decoded) == wrapped[1].encode():  # Python alone takes padding where none belongs
            return decoded.decode()
    except ValueError:
        pass
    raise RpcError(HEADER_MISMATCH, "the header Mcp-Name is not valid Base64 of UTF-8")


def _is_loopback(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and parts.hostname in _LOOPBACK
    except ValueError:
        return False
