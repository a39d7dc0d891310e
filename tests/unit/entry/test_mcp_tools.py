# SPDX-License-Identifier: Apache-2.0
"""The tools as clients see them: true schemas, honest annotations, refusals that an agent can read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from indelible import errors
from indelible.entry import mcp_tools
from indelible.entry.mcp import McpServer
from indelible.errors import LedgerError
from tests.unit.entry.mcp_world import EVENT, McpWorld, rpc, signed

LISTED: dict[str, Any] = {str(tool["name"]): tool for tool in mcp_tools.describe_all()}
FULL_EVENT = {
    **EVENT,
    "aow_context": {"intent_id": "a", "agent_urn": "b", "policy_urn": "c", "outcome": "SUCCESS"},
    "level": "decision",
    "reason": "the policy asks for it",
    "trace_id": "t",
    "correlation_id": "c",
    "actor": "agent",
    "action": "approve",
    "target": "",
    "occurred_at": "2026-03-20T14:22:01Z",
    "regulatory": {
        "regulations": ["EU AI Act"],
        "rule_citations": ["Art. 12"],
        "confidence": 0.9,
        "human_override": {"overridden": True, "operator": "o", "reason": "r"},
    },
    "idempotency_key": "once",
    "signed_at": "2026-03-20T14:22:01Z",
    "key_id": "k1",
}


REFUSALS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LedgerError)]


@pytest.fixture
def world() -> McpWorld:
    return McpWorld()


@pytest.fixture(autouse=True)
def _powertools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "indelible")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Indelible")


def test_there_are_three_tools_in_the_same_order_every_time(world: McpWorld) -> None:
    listed = world.modern("tools/list").json["result"]["tools"]
    assert [tool["name"] for tool in listed] == ["record_audit_event", "get_audit_proof", "verify_chain"]
    assert listed == world.request(rpc("tools/list")).json["result"]["tools"]


@pytest.mark.parametrize("name", LISTED)
def test_a_tool_says_what_it_is_and_when_to_use_it(name: str) -> None:
    tool = LISTED[name]
    assert tool["title"] == tool["annotations"]["title"]
    assert "Call it" in tool["description"]
    assert 200 < len(tool["description"]) < 1024
    for description in (schema.get("description") for schema in tool["inputSchema"]["properties"].values()):
        assert description is None or description.strip()


@pytest.mark.parametrize(
    ("name", "reads"), [("record_audit_event", False), ("get_audit_proof", True), ("verify_chain", True)]
)
def test_annotations_are_honest(name: str, *, reads: bool) -> None:
    hints = {hint: value for hint, value in LISTED[name]["annotations"].items() if hint != "title"}
    assert hints == {
        "readOnlyHint": reads,
        "destructiveHint": False,
        "idempotentHint": reads,  # the same recording twice, without an idempotency_key, is two records
        "openWorldHint": False,
    }


@pytest.mark.parametrize("name", LISTED)
@pytest.mark.parametrize("which", ["inputSchema", "outputSchema"])
def test_schemas_are_json_schema_2020_12_of_an_object_and_refer_only_to_themselves(name: str, which: str) -> None:
    schema = LISTED[name][which]
    Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    references = set(_values(schema, "$ref"))
    assert references <= {f"#/$defs/{defined}" for defined in schema.get("$defs", {})}
    if which == "inputSchema":
        assert not {"oneOf", "anyOf", "allOf", "not", "if"} & set(schema), "model providers refuse these at the top"
        assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("record_audit_event", FULL_EVENT),
        ("record_audit_event", {"event_type": "X", "detail": {}}),
        ("get_audit_proof", {"audit_id": "019d09e8-7109-8000-8000-000400000005"}),
        ("get_audit_proof", {"tx_hash": "0" * 64}),
        ("verify_chain", {}),
        ("verify_chain", {"start_seq": 1, "end_seq": 2}),
        ("verify_chain", {"from": "2026-03-20T00:00:00Z", "to": "2026-03-21T00:00:00Z"}),
    ],
)
def test_an_input_schema_takes_what_the_tool_takes(world: McpWorld, name: str, arguments: dict[str, Any]) -> None:
    asked = signed(arguments)
    Draft202012Validator(LISTED[name]["inputSchema"], format_checker=FormatChecker()).validate(asked)
    refusal = world.call(name, asked)["structuredContent"].get("error", {})
    assert refusal.get("code") in (None, "NOT_FOUND")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("record_audit_event", {"event_type": "X", "colour": "red"}),
        ("record_audit_event", {"event_type": ""}),
        ("record_audit_event", {"event_type": "X", "level": "boss"}),
        ("record_audit_event", {"event_type": "X", "regulatory": {"confidence": 2}}),
        ("verify_chain", {"start_seq": 0}),
        ("get_audit_proof", {"audit_id": 7}),
    ],
)
def test_an_input_schema_refuses_what_the_tool_refuses(world: McpWorld, name: str, arguments: dict[str, Any]) -> None:
    asked = signed(arguments)
    assert not Draft202012Validator(LISTED[name]["inputSchema"]).is_valid(asked)
    assert world.call(name, asked)["isError"] is True


def test_what_the_tools_answer_is_what_their_output_schemas_say(world: McpWorld) -> None:
    answers = [("record_audit_event", world.call("record_audit_event", signed(FULL_EVENT)))]
    receipt = answers[0][1]["structuredContent"]["receipt"]
    answers.append(("get_audit_proof", world.call("get_audit_proof", signed({"tx_hash": receipt["tx_hash"]}))))
    answers.append(("verify_chain", world.call("verify_chain", signed({}))))
    s3_key = receipt["s3_key"]
    world.world.administrator.lay_delete_marker(s3_key)
    answers.append(("verify_chain", world.call("verify_chain", signed({}))))
    answers.append(("get_audit_proof", world.call("get_audit_proof", signed({"audit_id": receipt["audit_id"]}))))
    world.world.administrator.rot(s3_key, b"{}")
    answers.append(("verify_chain", world.call("verify_chain", signed({}))))
    broken = world.call("get_audit_proof", signed({"audit_id": receipt["audit_id"]}))
    assert broken["structuredContent"]["error"]["code"] == "EVIDENCE_BROKEN"
    answers.append(("get_audit_proof", broken))
    for name, result in answers:
        Draft202012Validator(LISTED[name]["outputSchema"]).validate(result["structuredContent"])
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
    for name, _ in answers[:3]:
        assert not Draft202012Validator(LISTED[name]["outputSchema"]).is_valid({"status": "recorded"})


@pytest.mark.parametrize("kind", REFUSALS, ids=[kind.code for kind in REFUSALS])
@pytest.mark.parametrize("name", LISTED)
def test_every_refusal_is_the_tools_answer_with_the_object_of_rest(
    world: McpWorld, name: str, kind: type[LedgerError]
) -> None:
    raised = kind() if kind is errors.Unauthenticated else kind("why", field="payload.x", audit_id="a")

    def refuse(_arguments: Any, _caller: Any) -> Any:
        raise raised

    route = next(tool.route for tool in mcp_tools.TOOLS if tool.name == name)
    world.server = McpServer.of({route: refuse})
    result = world.call(name, {})
    assert result["isError"] is True
    assert result["structuredContent"] == {"error": raised.as_dict()}
    assert json.loads(result["content"][0]["text"]) == {"error": raised.as_dict()}
    Draft202012Validator(LISTED[name]["outputSchema"]).validate(result["structuredContent"])


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        ({}, "MISSING_FIELD", "event_type"),
        ({**EVENT, "org_id": "acme-corp"}, "MISSING_FIELD", "signature"),
        ({**EVENT, "org_id": "acme-corp", "signature": "0" * 64}, "UNAUTHENTICATED", "signature"),
        ({**EVENT, "org_id": "nobody", "signature": "0" * 64}, "UNAUTHENTICATED", "signature"),
        ({**EVENT, "org_id": "../etc"}, "INVALID_FIELD", "org_id"),
        ({**EVENT, "org_id": "acme-corp", "payload": {"text": "x" * 300 * 1024}}, "MISSING_FIELD", "signature"),
        (signed({**EVENT, "payload": {"text": "x" * 300 * 1024}}), "TOO_LARGE", "payload"),
        (signed({**EVENT, "level": "decision"}), "MISSING_FIELD", "reason"),
        ({**EVENT, "org_id": "acme-corp", "payload": {"id": 2**53}}, "INVALID_NUMBER", "payload.id"),
        ({**EVENT, "org_id": "acme-corp", "payload": {"x": float("nan")}}, "INVALID_NUMBER", "payload.x"),
        ({**EVENT, "org_id": "acme-corp", "payload": {"x": "\ud800"}}, "INVALID_STRING", "payload.x"),
    ],
)
def test_input_errors_name_the_field_as_in_rest(
    world: McpWorld, arguments: dict[str, Any], code: str, field: str
) -> None:
    for meta in ({}, {"progressToken": 1}):
        result = world.call("record_audit_event", arguments, meta)
        error = result["structuredContent"]["error"]
        assert (result["isError"], error["code"], error["field"], error["retryable"]) == (True, code, field, False)
    assert list(world.world.sealed()) == []


def test_outages_are_noted_for_the_operator(world: McpWorld, caplog: pytest.LogCaptureFixture) -> None:
    def regressed(_arguments: Any, _caller: Any) -> Any:
        raise errors.HeadRegressed("the table is older than the bucket")

    world.server = McpServer.of({"POST /v1/record": regressed})
    assert world.call("record_audit_event", {})["isError"] is True
    assert "refused" in caplog.text


def _values(node: Any, name: str) -> Iterator[Any]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == name and isinstance(value, str):
                yield value
            yield from _values(value, name)
    elif isinstance(node, list):
        for item in node:
            yield from _values(item, name)
