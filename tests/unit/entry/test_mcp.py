# SPDX-License-Identifier: Apache-2.0
"""The MCP endpoint over HTTP: who gets in, which bodies are read, and that nothing ever raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indelible.entry import mcp
from indelible.entry.gateway import MAX_BODY_BYTES
from indelible.entry.mcp import McpServer
from indelible.entry.mcp_rules import CAPABILITIES_META, VERSION_META
from indelible.entry.mcp_tools import TOOLS
from indelible.entry.telemetry import PowertoolsTelemetry
from tests.unit.entry.mcp_world import Context, McpWorld, rpc

META = [VERSION_META, CAPABILITIES_META, "traceparent"]


@pytest.fixture
def world() -> McpWorld:
    return McpWorld()


@pytest.fixture(autouse=True)
def _powertools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "indelible")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Indelible")


# -- HTTP -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"])
def test_only_post_is_served(world: McpWorld, method: str) -> None:
    answer = world.request(b"", method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert answer.json["error"]["code"] == -32600


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
@pytest.mark.parametrize("method", ["POST", "OPTIONS", "GET"])
def test_a_page_that_is_not_listed_may_not_call(world: McpWorld, origin: str, method: str) -> None:
    answer = world.request(rpc("ping"), {"Origin": origin, "Host": "abc.example"}, method=method)
    assert answer.error == (403, -32600)
    assert "id" not in answer.json
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_listed_page_may_call_and_read_the_answer() -> None:
    world = McpWorld(allowed_origins=" https://console.example/ , https://other.example:8443,")
    headers = {"Origin": "https://console.example", "Host": "abc.example"}
    preflight = world.request(b"", headers, method="OPTIONS")
    assert (preflight.status, preflight.body) == (204, "")
    assert preflight.headers["access-control-allow-methods"] == "POST"
    asked = set(preflight.headers["access-control-allow-headers"].split(", "))
    assert {"content-type", "mcp-protocol-version", "mcp-method", "mcp-name", "x-novus-org-id"} <= asked
    answer = world.request(rpc("ping"), headers)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "https://console.example")
    assert answer.headers["vary"] == "origin"


def test_no_list_of_origins_is_an_empty_one() -> None:
    assert McpServer.of(allowed_origins="").allowed_origins == frozenset()
    assert McpServer.of(allowed_origins=" , ").allowed_origins == frozenset()


def test_a_body_over_the_limit(world: McpWorld) -> None:
    answer = world.request(b" " * (MAX_BODY_BYTES + 1))
    assert answer.error == (413, -32600)
    assert answer.json["error"]["data"]["error"]["code"] == "TOO_LARGE"


def test_a_body_in_base64_is_read_like_any_other(world: McpWorld) -> None:
    assert world.request(rpc("ping"), encoded=True).json == {"jsonrpc": "2.0", "id": 1, "result": {}}


@pytest.mark.parametrize("headers", [{}, {"MCP-Protocol-Version": "2026-07-28"}, {"mcp-session-id": "x"}])
def test_a_notification_is_accepted_without_an_answer(world: McpWorld, headers: dict[str, str]) -> None:
    for method in ("notifications/initialized", "notifications/cancelled", "notifications/unheard-of"):
        answer = world.request({"jsonrpc": "2.0", "method": method}, headers)
        assert (answer.status, answer.body) == (202, "")
        assert "content-type" not in answer.headers


@pytest.mark.parametrize("body", ["", "{", "[]", "3", '{"jsonrpc": "2.0"}'])
def test_what_is_no_message_is_refused_without_an_id(world: McpWorld, body: str) -> None:
    answer = world.request(body.encode())
    assert answer.status == 400
    assert answer.json["error"]["code"] in (-32700, -32600)
    assert "id" not in answer.json


def test_answers_are_json_and_not_stored(world: McpWorld) -> None:
    headers = world.modern("tools/list").headers
    assert (headers["content-type"], headers["cache-control"]) == ("application/json", "no-store")
    assert not [name for name in headers if "session" in name]


# -- what must not happen ---------------------------------------------------------------------------


class Broken(McpServer):
    """A server with a bug in it."""

    def __init__(self) -> None:
        super().__init__({"POST /v1/verify": lambda _arguments, _caller: 1 / 0})  # type: ignore[dict-item, return-value]


def test_a_bug_is_logged_and_says_nothing(
    world: McpWorld, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    world.server = Broken()
    arguments = {"payload": {"name": "confidential"}}
    answer = world.modern("tools/call", {"name": "verify_chain", "arguments": arguments})
    assert (answer.error, answer.json["id"]) == ((500, -32603), 1)
    assert answer.json["error"]["message"] == "unexpected error; quote request req-1 to the operator"
    assert world.request(rpc("tools/call", {"name": "verify_chain"})).error == (200, -32603)
    assert "ZeroDivisionError" in caplog.text
    assert "confidential" not in caplog.text
    assert "UnexpectedErrors" in capsys.readouterr().out


def test_an_event_that_api_gateway_would_never_send(world: McpWorld, caplog: pytest.LogCaptureFixture) -> None:
    event: dict[str, Any] = {"headers": {}}
    server, clock = (lambda: world.server), world.world.clock
    answer = mcp.serve(event, Context(), server=server, telemetry=PowertoolsTelemetry(), clock=clock)
    assert answer["statusCode"] == 500
    assert json.loads(answer["body"])["error"]["code"] == -32603
    assert "KeyError" in caplog.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
NEARLY = st.fixed_dictionaries(
    {
        "jsonrpc": st.just("2.0") | JSON,
        "method": st.sampled_from(["tools/call", "tools/list", "initialize", "x"]) | JSON,
    },
    optional={
        "id": st.integers() | JSON,
        "params": JSON
        | st.fixed_dictionaries(
            {"name": st.sampled_from([tool.name for tool in TOOLS]) | JSON},
            optional={"arguments": JSON, "_meta": st.dictionaries(st.sampled_from(META), JSON)},
        ),
    },
)


@given(
    body=NEARLY.map(json.dumps).map(str.encode) | JSON.map(json.dumps).map(str.encode) | st.binary(),
    headers=st.dictionaries(
        st.sampled_from(["mcp-protocol-version", "Mcp-Method", "mcp-name", "x-novus-org-id"]),
        st.sampled_from(["2026-07-28", "2025-11-25", "tools/call", "verify_chain", "=?base64?A?="]) | st.text(),
    ),
)
def test_whatever_comes_in_is_the_callers_fault(body: bytes, headers: dict[str, str]) -> None:
    answer = McpWorld().request(body, headers, encoded=True)
    assert answer.status in (200, 202, 400, 404)
    if answer.status != 202:
        assert answer.json.get("error", {}).get("code") != -32603, answer.body
