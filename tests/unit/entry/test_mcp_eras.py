# SPDX-License-Identifier: Apache-2.0
"""What each era of the protocol gets for an answer, the product's public examples, and what a call brings along."""

from __future__ import annotations

import json
from typing import Any

import pytest

from indelible import __version__
from tests.unit.entry.mcp_world import EVENT, ORG, McpWorld, modern, modern_headers, rpc, signed

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


@pytest.fixture
def world() -> McpWorld:
    return McpWorld()


@pytest.fixture(autouse=True)
def _powertools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "indelible")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Indelible")


# -- 2026-07-28 -----------------------------------------------------------------------------------


def test_discover(world: McpWorld) -> None:
    result = world.modern("server/discover").json["result"]
    assert result["supportedVersions"] == ["2026-07-28", "2025-11-25", "2025-06-18"]
    assert result["capabilities"] == {"tools": {}}
    assert "record_audit_event" in result["instructions"]
    assert (result["resultType"], result["cacheScope"]) == ("complete", "public")
    assert result["ttlMs"] > 0
    info = result["_meta"]["io.modelcontextprotocol/serverInfo"]
    assert (info["name"], info["version"]) == ("indelible", __version__)


def test_every_result_is_complete_and_says_who_answers(world: McpWorld) -> None:
    calls = {"name": "record_audit_event", "arguments": signed(EVENT)}, {"name": "verify_chain", "arguments": {}}
    answers = [world.modern("tools/list"), *(world.modern("tools/call", params) for params in calls)]
    for answer in answers:
        result = answer.json["result"]
        assert result["resultType"] == "complete"
        assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "indelible"


@pytest.mark.parametrize("method", ["initialize", "ping", "logging/setLevel", "prompts/list", "unknown", ""])
def test_methods_that_2026_does_not_have_here(world: McpWorld, method: str) -> None:
    answer = world.modern(method)
    assert answer.error == (404, -32601)
    assert answer.json["id"] == 1


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", {"name": "drop_audit_log", "arguments": {}}),
        ("tools/call", {"arguments": {}}),
        ("tools/call", {"name": 7}),
        ("tools/call", {"name": "verify_chain", "arguments": []}),
        ("tools/call", {"name": "verify_chain", "arguments": None}),
        ("tools/list", {"cursor": "abc"}),
    ],
)
def test_params_that_no_tool_could_mend(world: McpWorld, method: str, params: dict[str, Any]) -> None:
    message = modern(method, params)
    headers = {name: str(value) for name, value in modern_headers(message).items()}
    assert world.request(message, headers).error == (400, -32602)
    assert world.request(rpc(method, params)).error == (200, -32602)


def test_broken_rules_are_400_under_the_requests_id(world: McpWorld) -> None:
    message = modern("tools/list")
    for headers, code in (({}, -32020), ({"mcp-protocol-version": "2026-07-28"}, -32020)):
        answer = world.request(message, headers)
        assert (answer.error, answer.json["id"]) == ((400, code), 1)
    answer = world.request(rpc("tools/list"), {"MCP-Protocol-Version": "2024-11-05"})
    assert answer.error == (400, -32022)
    assert answer.json["error"]["data"]["requested"] == "2024-11-05"
    assert world.request(rpc("tools/list"), {"MCP-Protocol-Version": "2026-07-28"}).error == (400, -32602)


def test_space_around_a_header_is_none_of_its_value(world: McpWorld) -> None:
    assert world.modern("tools/list", **{"mcp-method": "  tools/list "}).status == 200


# -- the handshake era ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "agreed"),
    [("2025-11-25", "2025-11-25"), ("2025-06-18", "2025-06-18"), ("2024-11-05", "2025-11-25"), ("", "2025-11-25")],
)
def test_initialize_agrees_on_a_revision_and_opens_no_session(world: McpWorld, asked: str, agreed: str) -> None:
    answer = world.request(rpc("initialize", INITIALIZE | {"protocolVersion": asked}))
    result = answer.json["result"]
    assert (answer.status, result["protocolVersion"]) == (200, agreed)
    assert result["serverInfo"]["name"] == "indelible"
    assert result["capabilities"] == {"tools": {}}
    assert "resultType" not in result
    assert not [name for name in answer.headers if "session" in name]


def test_initialize_needs_a_version(world: McpWorld) -> None:
    assert world.request(rpc("initialize", {})).error == (200, -32602)


def test_every_request_stands_alone(world: McpWorld) -> None:
    headers = {"MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": "of another server"}
    assert world.request(rpc("ping"), headers).json["result"] == {}
    listed = world.request(rpc("tools/list"), headers).json["result"]
    assert set(listed) == {"tools"}
    assert len(listed["tools"]) == 3


@pytest.mark.parametrize("method", ["server/discover", "prompts/list", "resources/list", "logging/setLevel", "x"])
def test_unknown_methods_are_told_under_200_as_a_404_would_end_the_session(world: McpWorld, method: str) -> None:
    assert world.request(rpc(method)).error == (200, -32601)


# -- the product's public examples, as printed but for the signature --------------------------------


def test_the_public_examples_work(world: McpWorld) -> None:
    event = {
        "org_id": ORG,
        "event_type": "AGENT_DECISION",
        "payload": {
            "agent": "document-classifier",
            "input_hash": "sha256:...",
            "output_hash": "sha256:...",
            "decision": "APPROVED",
            "tokens": 12500,
        },
        "aow_context": {
            "intent_id": "document.classify",
            "agent_urn": "urn:axis:agent:classifier",
            "policy_urn": "urn:axis:policy:pii-required",
            "outcome": "SUCCESS",
        },
    }
    body = {"jsonrpc": "2.0", "method": "tools/call", "id": 1, "params": {"name": "record_audit_event"}}
    body["params"]["arguments"] = signed(event)  # type: ignore[index]
    recorded = world.request(body).json["result"]
    assert recorded["isError"] is False
    receipt = recorded["structuredContent"]["receipt"]
    assert (recorded["structuredContent"]["status"], receipt["sequence"], receipt["prev_hash"]) == (
        "recorded",
        1,
        "GENESIS",
    )
    for asked in ({"start_seq": 1, "end_seq": 1}, {"from": "2026-03-20T00:00:00Z", "to": "2026-03-21T00:00:00Z"}):
        verdict = world.request(rpc("tools/call", {"name": "verify_chain", "arguments": signed(asked)})).json["result"]
        assert verdict["structuredContent"]["valid"] is True
        assert verdict["structuredContent"]["entries_checked"] == 1
    for asked in ({"audit_id": receipt["audit_id"]}, {"tx_hash": receipt["tx_hash"]}):
        proof = world.request(rpc("tools/call", {"name": "get_audit_proof", "arguments": signed(asked)})).json["result"]
        assert proof["structuredContent"]["record"]["event"]["payload"] == event["payload"]
        assert json.loads(proof["content"][0]["text"]) == proof["structuredContent"]


# -- what a call brings besides its arguments -------------------------------------------------------


def test_the_header_must_name_the_same_organisation(world: McpWorld) -> None:
    message = rpc("tools/call", {"name": "record_audit_event", "arguments": signed(EVENT)})
    refused = world.request(message, {"X-Novus-Org-ID": "globex"}).json["result"]
    assert (refused["isError"], refused["structuredContent"]["error"]["code"]) == (True, "ORG_MISMATCH")
    assert world.request(message, {"X-Novus-Org-ID": ORG}).json["result"]["isError"] is False


@pytest.mark.parametrize(
    ("event", "meta", "kept"),
    [
        (EVENT, {"traceparent": TRACEPARENT}, TRACE),
        ({**EVENT, "trace_id": "mine"}, {"traceparent": TRACEPARENT}, "mine"),
        (EVENT, {"traceparent": "00-nonsense"}, None),
        (EVENT, {"traceparent": 7}, None),
        (EVENT, {}, None),
    ],
)
def test_the_calls_trace_is_kept_where_the_event_names_none(
    world: McpWorld, event: dict[str, Any], meta: dict[str, Any], kept: str | None
) -> None:
    assert world.call("record_audit_event", signed(event), meta)["isError"] is False
    (sealed,) = world.world.sealed()
    assert json.loads(sealed.data)["event"].get("trace_id") == kept


def test_a_retry_may_come_from_another_trace(world: McpWorld) -> None:
    once = signed(EVENT, idempotency_key="once")
    first, again = (
        world.call("record_audit_event", once, meta)["structuredContent"]
        for meta in ({"traceparent": TRACEPARENT}, {"traceparent": TRACEPARENT.replace("0af7", "1bf8")})
    )
    assert again == first
    assert world.call("record_audit_event", once)["structuredContent"] == first
    assert (
        world.request(rpc("tools/call", {"name": "record_audit_event", "arguments": once})).json["result"][
            "structuredContent"
        ]
        == first
    )
    other = signed({**EVENT, "trace_id": "mine"}, idempotency_key="once")
    assert world.call("record_audit_event", other)["structuredContent"]["error"]["code"] == "IDEMPOTENCY_CONFLICT"
    assert len(world.world.sealed()) == 1


@pytest.mark.parametrize(("levels", "accepted"), [(31, True), (32, False)])
def test_an_event_may_be_as_deep_as_in_rest(world: McpWorld, levels: int, *, accepted: bool) -> None:
    payload: dict[str, Any] = {}
    for _ in range(levels - 1):
        payload = {"a": payload}
    result = world.call("record_audit_event", signed({"event_type": "X", "payload": payload}))
    assert result["isError"] is not accepted
    if not accepted:
        error = result["structuredContent"]["error"]
        assert (error["code"], error["field"]) == ("NESTING_TOO_DEEP", "payload" + ".a" * 31)
