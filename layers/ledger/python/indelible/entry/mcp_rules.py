# SPDX-License-Identifier: Apache-2.0
"""The rules of MCP's HTTP transport that apply to a request whatever its method. Pure.

A request declares its protocol revision in `_meta` or in a header.

Invariant: a request that declares 2026-07-28 keeps all rules of that revision or is refused. One that declares an
earlier revision, or none, belongs to the handshake era, which has no such rules.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from indelible.domain.canonical import JsonValue
from indelible.entry.jsonrpc import HEADER_MISMATCH, INVALID_PARAMS, UNSUPPORTED_VERSION, Message, RpcError

MODERN_VERSION = "2026-07-28"
HANDSHAKE_VERSIONS = ("2025-11-25", "2025-06-18")
SUPPORTED_VERSIONS = (MODERN_VERSION, *HANDSHAKE_VERSIONS)

VERSION_META = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_META = "io.modelcontextprotocol/clientCapabilities"
SERVER_META = "io.modelcontextprotocol/serverInfo"

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_BASE64_HEADER = re.compile(r"=\?base64\?(.*)\?=", re.DOTALL)
# W3C Trace Context §3.2: version ff and ids of zeros are invalid; later versions may append fields.
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


def check_revision(message: Message, headers: Mapping[str, str]) -> bool:
    """Whether the request declares 2026-07-28 (True) or belongs to the handshake era (False).

    Raises RpcError when it breaks a rule of the revision that it declares, or declares one that is not supported.
    """
    meta, header = message.meta, headers.get("mcp-protocol-version")
    declared = meta.get(VERSION_META, header)
    if declared is None and CAPABILITIES_META not in meta:
        return False
    if declared is None or (declared == MODERN_VERSION and VERSION_META not in meta):
        raise RpcError(INVALID_PARAMS, f"params._meta must have {VERSION_META}")
    if not isinstance(declared, str):
        raise RpcError(INVALID_PARAMS, f"params._meta: {VERSION_META} must be a string")
    if header is not None or declared not in HANDSHAKE_VERSIONS:
        _require_header(headers, "MCP-Protocol-Version", declared, f"params._meta {VERSION_META}")
    if declared in HANDSHAKE_VERSIONS:
        return False
    if declared != MODERN_VERSION:
        data = {"supported": SUPPORTED_VERSIONS, "requested": declared}
        raise RpcError(UNSUPPORTED_VERSION, "this protocol version is not supported", data=data)
    if not isinstance(meta.get(CAPABILITIES_META), dict):
        raise RpcError(INVALID_PARAMS, f"params._meta must have {CAPABILITIES_META}, an object")
    _require_header(headers, "Mcp-Method", message.method, "method")
    name = message.params.get("name")
    if message.method == "tools/call" and isinstance(name, str):
        _require_header(headers, "Mcp-Name", name, "params.name")
    return True


def allows_origin(origin: str, host: str, allowed: Collection[str]) -> bool:
    """Whether web pages of this origin may call. The check defends against DNS rebinding.

    Allowed are the origins that the operator lists and, on a loopback host, origins that are loopback themselves.
    """
    return origin in allowed or (_is_loopback(origin) and _is_loopback(f"http://{host}"))


def trace_id(traceparent: JsonValue) -> str | None:
    """The trace-id of a W3C traceparent; None for an invalid one, which the standard says to ignore."""
    if not isinstance(traceparent, str):
        return None
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None or (found[1] == "00" and found[3]):
        return None
    return found[2]


def _require_header(headers: Mapping[str, str], name: str, expected: str, member: str) -> None:
    value = headers.get(name.lower())
    if value is None:
        raise RpcError(HEADER_MISMATCH, f"the header {name} is required")
    if name == "Mcp-Name":
        value = _decode_name(value)
    if value != expected:
        raise RpcError(HEADER_MISMATCH, f"the header {name} and {member} differ")


def _decode_name(value: str) -> str:
    """The value of an Mcp-Name header, which clients may encode as `=?base64?…?=`."""
    wrapped = _BASE64_HEADER.fullmatch(value)
    if wrapped is None:
        return value
    try:
        decoded = base64.b64decode(wrapped[1], validate=True)
        if base64.b64encode(decoded) == wrapped[1].encode():  # Python also accepts padding that does not belong
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
