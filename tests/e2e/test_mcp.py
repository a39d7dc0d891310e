# SPDX-License-Identifier: Apache-2.0
"""Real clients of MCP against the deployment: the official SDK in both eras, and the product's printed examples."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from mcp import Client

from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.agent import ERAS, structured, talk
from tests.e2e.helpers.tenant import EVENT, Tenant, fresh

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def agent(ledger: Outputs) -> Tenant:
    """An organisation of the test's own, with an empty chain."""
    return fresh(ledger, "mcp")


def post(agent: Tenant, body: object, method: str = "POST", **headers: str) -> httpx.Response:
    """A request without any client's help."""
    url = f"{agent.ledger.api_url}/mcp"
    return httpx.request(method, url, json=body, headers=headers, timeout=40, trust_env=False)


def call(agent: Tenant, name: str, arguments: dict[str, Any], meta: dict[str, Any] | None = None) -> dict[str, Any]:
    """A tools/call as in the product's examples: no handshake, no headers."""
    params = {"name": name, "arguments": agent.signed(arguments), **({"_meta": meta} if meta else {})}
    answer = post(agent, {"jsonrpc": "2.0", "method": "tools/call", "id": 1, "params": params})
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()["result"]
    return result


@pytest.mark.parametrize("mode", ERAS)
def test_the_sdk_records_proves_and_verifies(agent: Tenant, mode: str) -> None:
    async def conversation(client: Client) -> dict[str, Any]:
        assert client.protocol_version == ERAS[mode]
        assert len((await client.list_tools()).tools) == 3
        once = agent.signed({**EVENT, "idempotency_key": "once"})
        receipt = structured(await client.call_tool("record_audit_event", once))["receipt"]
        assert structured(await client.call_tool("record_audit_event", once))["receipt"] == receipt
        for asked in ({"audit_id": receipt["audit_id"]}, {"tx_hash": receipt["tx_hash"]}):
            proof = structured(await client.call_tool("get_audit_proof", agent.signed(asked)))
            assert proof["receipt"] == receipt
            assert proof["record"]["event"]["payload"] == EVENT["payload"]
        verdict = structured(await client.call_tool("verify_chain", agent.signed({"start_seq": 1, "end_seq": 1})))
        assert (verdict["valid"], verdict["entries_checked"]) == (True, 1)
        refused: Any = await client.call_tool("get_audit_proof", agent.signed({"audit_id": "no such id"}))
        assert (refused.is_error, refused.structured_content["error"]["code"]) == (True, "NOT_FOUND")
        return receipt

    receipt = talk(f"{agent.ledger.api_url}/mcp", mode, conversation, {"X-Novus-Org-ID": agent.org_id})
    assert Admin.of(agent.ledger).keys(agent.org_id)[0] == receipt["s3_key"]


def test_the_printed_examples_and_rest_see_one_chain(agent: Tenant) -> None:
    recorded = call(agent, "record_audit_event", EVENT)["structuredContent"]
    assert recorded["status"] == "recorded"
    assert agent.record(EVENT)["prev_hash"] == recorded["receipt"]["tx_hash"]
    verdict = call(agent, "verify_chain", {"start_seq": 1, "end_seq": 2})["structuredContent"]
    assert (verdict["valid"], verdict["entries_checked"], verdict["first_broken_at"]) == (True, 2, None)


def test_a_refusal_is_the_object_that_rest_answers_with(agent: Tenant) -> None:
    broken = {**EVENT, "level": "boss"}
    refused = call(agent, "record_audit_event", broken)
    assert refused["isError"] is True
    assert refused["structuredContent"] == agent.post("/v1/record", broken).json()
    assert json.loads(refused["content"][0]["text"]) == refused["structuredContent"]


def test_the_calls_trace_is_sealed_with_the_event(agent: Tenant) -> None:
    meta = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    receipt = call(agent, "record_audit_event", EVENT, meta)["structuredContent"]["receipt"]
    proof = call(agent, "get_audit_proof", {"audit_id": receipt["audit_id"]})["structuredContent"]
    assert proof["record"]["event"]["trace_id"] == TRACE


def test_the_gateway_leaves_methods_origins_and_statuses_to_the_endpoint(agent: Tenant) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    for method in ("GET", "DELETE"):
        answer = post(agent, None, method)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert post(agent, ping, Origin="https://evil.example").status_code == 403
    assert post(agent, [ping]).json()["error"]["code"] == -32600
    notified = post(agent, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert (notified.status_code, notified.content) == (202, b"")
    unsupported = post(agent, ping, **{"MCP-Protocol-Version": "2024-11-05"})
    assert (unsupported.status_code, unsupported.json()["error"]["code"]) == (400, -32022)
