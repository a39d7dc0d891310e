# SPDX-License-Identifier: Apache-2.0
"""Which era a request belongs to, what 2026-07-28 asks of its headers, who may call from a browser, what a trace is."""

from __future__ import annotations

from typing import Any

import pytest

from indelible.entry import mcp_rules
from indelible.entry.jsonrpc import Message, RpcError

VERSION = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
META = {VERSION: "2026-07-28", CAPABILITIES: {}}
HEADERS = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "verify_chain"}


def era(
    meta: dict[str, Any], headers: dict[str, str], method: str = "tools/call", name: object = "verify_chain"
) -> bool:
    return mcp_rules.check_revision(Message(1, method, {"name": name, "_meta": meta}), headers)


def code(meta: dict[str, Any], headers: dict[str, str], **more: Any) -> int:
    with pytest.raises(RpcError) as caught:
        era(meta, headers, **more)
    assert caught.value.status == 400
    return caught.value.code


@pytest.mark.parametrize(
    ("meta", "headers"),
    [
        ({}, {}),
        ({"traceparent": "00-x"}, {}),
        ({"progressToken": 1}, {"mcp-protocol-version": "2025-11-25"}),
        ({}, {"mcp-protocol-version": "2025-06-18"}),
        ({VERSION: "2025-11-25"}, {}),
        ({VERSION: "2025-11-25", CAPABILITIES: {}}, {"mcp-protocol-version": "2025-11-25"}),
        ({}, {"mcp-method": "something/else", "mcp-name": "not looked at in this era"}),
    ],
)
def test_the_handshake_era(meta: dict[str, Any], headers: dict[str, str]) -> None:
    assert era(meta, headers) is False


@pytest.mark.parametrize(
    ("meta", "headers"),
    [
        (META, HEADERS),
        ({**META, "io.modelcontextprotocol/clientInfo": {"name": "a", "version": "1"}}, HEADERS),
        (META, HEADERS | {"mcp-name": "=?base64?dmVyaWZ5X2NoYWlu?="}),
    ],
)
def test_a_request_that_keeps_the_rules(meta: dict[str, Any], headers: dict[str, str]) -> None:
    assert era(meta, headers) is True


def test_only_a_call_needs_a_name() -> None:
    headers = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list"}
    assert era(META, headers, method="tools/list") is True


def test_a_call_that_names_no_tool_is_left_to_tools_call() -> None:
    headers = {name: value for name, value in HEADERS.items() if name != "mcp-name"}
    assert era(META, headers, name=None) is True


@pytest.mark.parametrize(
    ("meta", "headers", "expected"),
    [
        ({}, HEADERS, -32602),
        ({CAPABILITIES: {}}, HEADERS, -32602),
        ({CAPABILITIES: {}}, {}, -32602),
        ({VERSION: "2026-07-28"}, HEADERS, -32602),
        ({VERSION: "2026-07-28", CAPABILITIES: []}, HEADERS, -32602),
        ({VERSION: 20260728, CAPABILITIES: {}}, HEADERS, -32602),
        ({VERSION: None, CAPABILITIES: {}}, HEADERS, -32602),
        (META, {}, -32020),
        (META, HEADERS | {"mcp-protocol-version": "2025-11-25"}, -32020),
        ({**META, VERSION: "2025-11-25"}, HEADERS, -32020),
        ({**META, VERSION: "1900-01-01"}, HEADERS, -32020),
        ({**META, VERSION: "1900-01-01"}, {}, -32020),
        (META, HEADERS | {"mcp-method": "tools/list"}, -32020),
        (META, HEADERS | {"mcp-method": "TOOLS/CALL"}, -32020),
        (META, {"mcp-protocol-version": "2026-07-28", "mcp-name": "verify_chain"}, -32020),
        (META, {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call"}, -32020),
        (META, HEADERS | {"mcp-name": "get_audit_proof"}, -32020),
        (META, HEADERS | {"mcp-name": "=?base64?Z2V0?="}, -32020),
        (META, HEADERS | {"mcp-name": "=?base64?dmVyaWZ5X2NoYWlu=?="}, -32020),
        (META, HEADERS | {"mcp-name": "=?base64?/////w==?="}, -32020),
        (META, HEADERS | {"mcp-name": "=?BASE64?dmVyaWZ5X2NoYWlu?="}, -32020),
        (META, HEADERS | {"mcp-name": "verify_chain,verify_chain"}, -32020),
        ({}, {"mcp-protocol-version": "2024-11-05"}, -32022),
        ({}, {"mcp-protocol-version": ""}, -32022),
        ({**META, VERSION: "2027-01-01"}, HEADERS | {"mcp-protocol-version": "2027-01-01"}, -32022),
    ],
)
def test_a_request_that_breaks_the_rules(meta: dict[str, Any], headers: dict[str, str], expected: int) -> None:
    assert code(meta, headers) == expected


def test_an_unknown_version_is_told_which_are_known() -> None:
    with pytest.raises(RpcError) as caught:
        era({}, {"mcp-protocol-version": "2024-11-05"})
    assert caught.value.data == {"supported": ("2026-07-28", "2025-11-25", "2025-06-18"), "requested": "2024-11-05"}


@pytest.mark.parametrize(
    ("origin", "host", "may"),
    [
        ("https://console.example", "abc.execute-api.eu-central-1.amazonaws.com", True),
        ("https://console.example:8443", "abc.execute-api.eu-central-1.amazonaws.com", False),
        ("http://console.example", "abc.execute-api.eu-central-1.amazonaws.com", False),
        ("https://console.example.evil.example", "abc.execute-api.eu-central-1.amazonaws.com", False),
        ("https://evil.example", "evil.example", False),
        ("http://evil.example:4566", "localhost:4566", False),
        ("http://localhost:3000", "evil.example", False),
        ("http://localhost:3000", "abc.execute-api.eu-central-1.amazonaws.com", False),
        ("http://localhost.evil.example", "localhost:4566", False),
        ("http://localhost@evil.example", "localhost:4566", False),
        ("http://localhost:3000", "localhost:4566", True),
        ("http://127.0.0.1:4566", "127.0.0.1:4566", True),
        ("http://[::1]:4566", "[::1]:4566", True),
        ("http://[::1", "localhost", False),
        ("null", "localhost:4566", False),
        ("", "localhost:4566", False),
        ("file://", "localhost:4566", False),
        ("http://localhost:3000", "", False),
    ],
)
def test_which_pages_may_call(origin: str, host: str, *, may: bool) -> None:
    assert mcp_rules.allows_origin(origin, host, {"https://console.example"}) is may


@pytest.mark.parametrize(
    ("traceparent", "expected"),
    [
        ("00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01", "0af7651916cd43dd8448eb211c80319c"),
        (
            "cc-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01-what-the-future-holds",
            "0af7651916cd43dd8448eb211c80319c",
        ),
        ("cc-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01", "0af7651916cd43dd8448eb211c80319c"),
        ("00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01-more", None),
        ("ff-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01", None),
        ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", None),
        ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", None),
        ("00-0AF7651916CD43DD8448EB211C80319C-00f067aa0ba902b7-01", None),
        ("00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01\n", None),
        ("00-0af7651916cd43dd8448eb211c8031-00f067aa0ba902b7-01", None),
        ("0af7651916cd43dd8448eb211c80319c", None),
        ("", None),
        (None, None),
        (7, None),
        ({"trace": "parent"}, None),
    ],
)
def test_a_trace_context_is_taken_only_as_w3c_writes_it(traceparent: Any, expected: str | None) -> None:
    assert mcp_rules.trace_id(traceparent) == expected
