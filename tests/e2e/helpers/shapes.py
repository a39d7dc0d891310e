# SPDX-License-Identifier: Apache-2.0
"""Requests that are JSON, and not what the interface asks for: each names the field at fault."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.helpers.cases import BATCH, PROVE, VERIFY, Case
from tests.e2e.helpers.tenant import EVENT, events


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in EVENT.items() if key != name}


WRONG_SHAPE = [
    Case("no event_type", _without("event_type"), "MISSING_FIELD", "event_type"),
    Case("empty object", b"{}", "MISSING_FIELD", "event_type"),
    Case("no org_id", b'{"event_type":"X"}', "MISSING_FIELD", "org_id"),
    Case("decision without reason", {**EVENT, "level": "decision"}, "MISSING_FIELD", "reason"),
    Case("decision with an empty reason", {**EVENT, "level": "decision", "reason": ""}, "INVALID_FIELD", "reason"),
    Case("decision with a blank reason", {**EVENT, "level": "decision", "reason": " \t"}, "INVALID_FIELD", "reason"),
    Case("unknown field", {**EVENT, "severity": "high"}, "UNKNOWN_FIELD", "severity"),
    Case("sanitized_paths is ours", {**EVENT, "sanitized_paths": []}, "UNKNOWN_FIELD", "sanitized_paths"),
    Case("unknown field within", {**EVENT, "aow_context": {"goal": "x"}}, "UNKNOWN_FIELD", "aow_context.goal"),
    Case(
        "unknown field deep within",
        {**EVENT, "regulatory": {"human_override": {"overridden": True, "who": "x"}}},
        "UNKNOWN_FIELD",
        "regulatory.human_override.who",
    ),
    Case(
        "override without overridden",
        {**EVENT, "regulatory": {"human_override": {}}},
        "MISSING_FIELD",
        "regulatory.human_override.overridden",
    ),
    Case("payload and detail", {**EVENT, "detail": {}}, "INVALID_FIELD", "detail"),
    Case("unknown level", {**EVENT, "level": "DECISION"}, "INVALID_FIELD", "level"),
    Case("event_type with a space", {**EVENT, "event_type": "AGENT DECISION"}, "INVALID_FIELD", "event_type"),
    Case("event_type with a newline", {**EVENT, "event_type": "AGENT_DECISION\n"}, "INVALID_FIELD", "event_type"),
    Case("empty event_type", {**EVENT, "event_type": ""}, "INVALID_FIELD", "event_type"),
    Case("confidence 2", {**EVENT, "regulatory": {"confidence": 2}}, "INVALID_FIELD", "regulatory.confidence"),
    Case("confidence -0.1", {**EVENT, "regulatory": {"confidence": -0.1}}, "INVALID_FIELD", "regulatory.confidence"),
    Case("empty batch", {"events": []}, "INVALID_FIELD", "events", BATCH),
    Case("batch of 101", {"events": events(101)}, "INVALID_FIELD", "events", BATCH),
    Case("batch without events", {}, "MISSING_FIELD", "events", BATCH),
    Case("second of a batch", {"events": [EVENT, {"payload": {}}]}, "MISSING_FIELD", "events[1].event_type", BATCH),
    Case(
        "decision in a batch",
        {"events": [EVENT, EVENT, {**EVENT, "level": "decision"}]},
        "MISSING_FIELD",
        "events[2].reason",
        BATCH,
    ),
    Case(
        "identity in a batch's event",
        {"events": [{**EVENT, "org_id": "x1"}]},
        "UNKNOWN_FIELD",
        "events[0].org_id",
        BATCH,
    ),
    Case("prove nothing", {}, "MISSING_FIELD", "audit_id", PROVE),
    Case("prove by both", {"audit_id": "x", "tx_hash": "y"}, "INVALID_FIELD", "tx_hash", PROVE),
    Case("prove by number", {"audit_id": 7}, "INVALID_FIELD", "audit_id", PROVE),
    Case("prove unknown field", {"sequence": 1}, "UNKNOWN_FIELD", "sequence", PROVE),
    Case("verify from 0", {"start_seq": 0}, "INVALID_FIELD", "start_seq", VERIFY),
    Case("verify from -1", {"start_seq": -1}, "INVALID_FIELD", "start_seq", VERIFY),
    Case("verify from 1.5", {"start_seq": 1.5}, "INVALID_FIELD", "start_seq", VERIFY),
    Case("verify from '1'", {"start_seq": "1"}, "INVALID_FIELD", "start_seq", VERIFY),
    Case("verify to true", {"end_seq": True}, "INVALID_FIELD", "end_seq", VERIFY),
    Case("verify to 10^12", {"end_seq": 10**12}, "INVALID_FIELD", "end_seq", VERIFY),
    Case("verify backwards", {"start_seq": 5, "end_seq": 4}, "INVALID_FIELD", "end_seq", VERIFY),
    Case("verify a day", {"from": "2026-03-20"}, "INVALID_FIELD", "from", VERIFY),
    Case("verify local time", {"to": "2026-03-20T14:22:01"}, "INVALID_FIELD", "to", VERIFY),
    Case(
        "verify time backwards",
        {"from": "2026-03-20T14:22:01Z", "to": "2026-03-20T14:22:00Z"},
        "INVALID_FIELD",
        "to",
        VERIFY,
    ),
    Case("verify unknown field", {"limit": 1}, "UNKNOWN_FIELD", "limit", VERIFY),
]

TEXT = (7, None, [])
_OBJECT = ("x", None, [])
_TYPES: dict[str, tuple[object, ...]] = {
    "event_type": TEXT,
    "payload": _OBJECT,
    "detail": _OBJECT,
    "aow_context": _OBJECT,
    "aow_context.intent_id": TEXT,
    "aow_context.agent_urn": TEXT,
    "aow_context.policy_urn": TEXT,
    "aow_context.outcome": TEXT,
    "level": TEXT,
    "trace_id": TEXT,
    "correlation_id": TEXT,
    "actor": TEXT,
    "action": TEXT,
    "target": TEXT,
    "reason": TEXT,
    "occurred_at": (*TEXT, "yesterday", "2026-03-20", "2026-03-20T14:22:01", "2026-02-30T00:00:00Z", "1790000000"),
    "regulatory": _OBJECT,
    "regulatory.regulations": (7, "x", None, {}),
    "regulatory.rule_citations": (7, "x", None, {}),
    "regulatory.confidence": ("0.5", True, None, [], {}),
    "regulatory.human_override": _OBJECT,
    "regulatory.human_override.overridden": (0, "no", None, [], {}),
    "regulatory.human_override.operator": TEXT,
    "regulatory.human_override.reason": TEXT,
    "idempotency_key": (*TEXT, "", "x" * 257),
    "signed_at": (*TEXT, "now", "2026-03-20T14:22:01"),
    "key_id": (*TEXT, "", "k" * 65),
}


def wrong_types() -> list[Case]:
    cases = []
    for path, values in _TYPES.items():
        for value in values:
            *parents, last = path.split(".")
            body: dict[str, Any] = {"event_type": "AGENT_DECISION"}
            inner = body
            for parent in parents:
                inner = inner.setdefault(parent, {"overridden": True} if parent == "human_override" else {})
            inner[last] = value
            cases.append(Case(f"{path} = {json.dumps(value)[:40]}", body, "INVALID_FIELD", path))
    listed = {"event_type": "X", "regulatory": {"regulations": ["HIPAA", 7]}}
    cases.append(Case("regulations[1] = 7", listed, "INVALID_FIELD", "regulatory.regulations[1]"))
    return cases
