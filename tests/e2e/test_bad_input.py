# SPDX-License-Identifier: Apache-2.0
"""Bad input gets a typed 4xx that names the field, and leaves nothing behind (G8).

Shape comes before identity: what cannot be canonicalized (NaN, duplicate members, …) cannot be signed either, so
its refusal must not depend on a signature.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest

from local.env import Outputs
from tests.e2e.helpers.admin import Admin, Footprint
from tests.e2e.helpers.tenant import EVENT, Tenant, events, fresh, http, post, registry

RECORD, BATCH, PROVE, VERIFY = "/v1/record", "/v1/record/batch", "/v1/prove", "/v1/verify"


@dataclass(frozen=True)
class Case:
    """`body`: bytes go as they are; a mapping is signed, unless it brings its own `signature`."""

    name: str
    body: bytes | Mapping[str, Any]
    code: str
    field: str
    path: str = RECORD
    status: int = 400
    headers: Mapping[str, str] = field(default_factory=dict)


def _raw(payload: str) -> bytes:
    return b'{"org_id":"acme-corp","signature":"00","event_type":"X","payload":' + payload.encode() + b"}"


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in EVENT.items() if key != name}


def _nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


NOT_JSON = [
    Case("not JSON", b"event_type=AGENT_DECISION", "INVALID_JSON", "body"),
    Case("empty body", b"", "INVALID_JSON", "body"),
    Case("whitespace", b" \n", "INVALID_JSON", "body"),
    Case("cut off", b'{"org_id": "acme-corp", "event_ty', "INVALID_JSON", "body"),
    Case("two documents", b"{}{}", "INVALID_JSON", "body"),
    Case("trailing comma", b'{"org_id": "acme-corp",}', "INVALID_JSON", "body"),
    Case("single quotes", b"{'org_id': 'acme-corp'}", "INVALID_JSON", "body"),
    Case("byte order mark", b'\xef\xbb\xbf{"org_id": "acme-corp"}', "INVALID_JSON", "body"),
    Case("array", b"[]", "INVALID_JSON", "body"),
    Case("string", b'"acme-corp"', "INVALID_JSON", "body"),
    Case("null", b"null", "INVALID_JSON", "body"),
    Case("number", b"1", "INVALID_JSON", "body"),
    Case(
        "not UTF-8",
        b'{"org_id": "\xff\xfe"}',
        "INVALID_JSON",
        "body",
        headers={"content-type": "application/octet-stream"},
    ),
    Case("gzip", b"\x1f\x8b\x08\x00\x00", "INVALID_JSON", "body", headers={"content-type": "application/gzip"}),
    Case("control character in a string", _raw('{"a":"\x01"}'), "INVALID_JSON", "body"),
]

NOT_ONE_VALUE = [
    Case("duplicate member", b'{"event_type":"A","event_type":"B"}', "DUPLICATE_KEY", "event_type"),
    Case("duplicate member, spelled apart", b'{"org_id":"a1","org_\\u0069d":"a2"}', "DUPLICATE_KEY", "org_id"),
    Case("duplicate member deep down", _raw('{"a":[{"b":1,"b":2}]}'), "DUPLICATE_KEY", "payload.a[0].b"),
    Case("NaN", _raw('{"a":NaN}'), "INVALID_NUMBER", "payload.a"),
    Case("Infinity", _raw('{"a":[Infinity]}'), "INVALID_NUMBER", "payload.a[0]"),
    Case("-Infinity", _raw('{"a":-Infinity}'), "INVALID_NUMBER", "payload.a"),
    Case("1e400", _raw('{"a":1e400}'), "INVALID_NUMBER", "payload.a"),
    Case("2^53", _raw('{"a":9007199254740992}'), "INVALID_NUMBER", "payload.a"),
    Case("-2^53", _raw('{"a":-9007199254740992}'), "INVALID_NUMBER", "payload.a"),
    Case("a million digits", _raw('{"a":' + "9" * 1_000_000 + "}"), "INVALID_NUMBER", "payload.a"),
    Case("2^53 as a double", _raw('{"a":9007199254740992.0}'), "INVALID_NUMBER", "payload.a"),
    Case("lone high surrogate", _raw('{"a":"\\ud800"}'), "INVALID_STRING", "payload.a"),
    Case("lone low surrogate", _raw('{"a":"x\\udc00y"}'), "INVALID_STRING", "payload.a"),
    Case("lone surrogate in a name", _raw('{"\\ud800":1}'), "INVALID_STRING", "payload"),
    Case("depth 33", _raw('{"a":' + "[" * 31 + "]" * 31 + "}"), "NESTING_TOO_DEEP", "payload.a" + "[0]" * 30),
    Case("depth 200", _raw("[" * 200 + "]" * 200), "NESTING_TOO_DEEP", "payload" + "[0]" * 31),
    Case("depth 100000", _raw("[" * 100_000 + "]" * 100_000), "NESTING_TOO_DEEP", "body"),
    Case("depth 100000 of objects, unclosed", b'{"a":' * 100_000, "NESTING_TOO_DEEP", "body"),
]

TOO_LARGE = [
    Case("300 KiB payload", {**EVENT, "payload": {"a": "x" * 300 * 1024}}, "TOO_LARGE", "payload", status=413),
    Case("300 KiB elsewhere", {**EVENT, "reason": "x" * 300 * 1024}, "TOO_LARGE", "payload", status=413),
    Case(
        "300 KiB in a batch",
        {"events": [EVENT, {**EVENT, "payload": {"a": "x" * 300 * 1024}}]},
        "TOO_LARGE",
        "events[1]",
        BATCH,
        413,
    ),
    Case("body over 1 MiB", b'{"a":"' + b"x" * 1024 * 1024 + b'"}', "TOO_LARGE", "body", status=413),
    Case("whitespace over 1 MiB", b" " * (1024 * 1024 + 1), "TOO_LARGE", "body", status=413),
    Case("batch body over 5 MiB", b" " * (5 * 1024 * 1024 + 1), "TOO_LARGE", "body", BATCH, 413),
]

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

_TEXT = (7, None, [])
_OBJECT = ("x", None, [])
_TYPES: dict[str, tuple[object, ...]] = {
    "event_type": _TEXT,
    "payload": _OBJECT,
    "detail": _OBJECT,
    "aow_context": _OBJECT,
    "aow_context.intent_id": _TEXT,
    "aow_context.agent_urn": _TEXT,
    "aow_context.policy_urn": _TEXT,
    "aow_context.outcome": _TEXT,
    "level": _TEXT,
    "trace_id": _TEXT,
    "correlation_id": _TEXT,
    "actor": _TEXT,
    "action": _TEXT,
    "target": _TEXT,
    "reason": _TEXT,
    "occurred_at": (*_TEXT, "yesterday", "2026-03-20", "2026-03-20T14:22:01", "2026-02-30T00:00:00Z", "1790000000"),
    "regulatory": _OBJECT,
    "regulatory.regulations": (7, "x", None, {}),
    "regulatory.rule_citations": (7, "x", None, {}),
    "regulatory.confidence": ("0.5", True, None, [], {}),
    "regulatory.human_override": _OBJECT,
    "regulatory.human_override.overridden": (0, "no", None, [], {}),
    "regulatory.human_override.operator": _TEXT,
    "regulatory.human_override.reason": _TEXT,
    "idempotency_key": (*_TEXT, "", "x" * 257),
    "signed_at": (*_TEXT, "now", "2026-03-20T14:22:01"),
    "key_id": (*_TEXT, "", "k" * 65),
}


def _wrong_types() -> list[Case]:
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


_ORGANISATIONS = (
    "../acme-corp",
    "acme-corp/../other",
    "acme-corp/2026",
    "acme-corp#OUTBOX",
    "_ORGS",
    "_ledger",
    "ACME-CORP",
    "Acme-corp",
    "acme_corp",
    "acme.corp",
    "acme corp",
    "acme-corp\n",
    "acme-corp\u0000",
    "аcme-corp",  # Cyrillic а
    "acme‐corp",  # U+2010 hyphen
    "ａcme-corp",  # full-width a
    "acme-corp٣",  # Arabic-Indic digit
    "-acme",
    "a",
    "",
    "a" * 64,
    "%2e%2e",
)
MALFORMED_ORG = [
    Case(f"org_id {name[:20]!a}", {"org_id": name, **EVENT}, "INVALID_FIELD", "org_id") for name in _ORGANISATIONS
] + [Case(f"org_id = {json.dumps(value)}", {"org_id": value, **EVENT}, "INVALID_FIELD", "org_id") for value in _TEXT]

SIGNATURE = [
    Case("no signature", {**EVENT, "signature": ...}, "MISSING_FIELD", "signature"),
    Case("signature of another type", {**EVENT, "signature": 7}, "INVALID_FIELD", "signature"),
    Case("signature null", {**EVENT, "signature": None}, "INVALID_FIELD", "signature"),
    Case("signature too long", {**EVENT, "signature": "0" * 257}, "INVALID_FIELD", "signature"),
    Case("signature empty", {**EVENT, "signature": ""}, "UNAUTHENTICATED", "signature", status=401),
    Case("signature not hex", {**EVENT, "signature": "é" * 64}, "UNAUTHENTICATED", "signature", status=401),
    Case("signature wrong", {**EVENT, "signature": "0" * 64}, "UNAUTHENTICATED", "signature", status=401),
]

CASES = [*NOT_JSON, *NOT_ONE_VALUE, *TOO_LARGE, *WRONG_SHAPE, *_wrong_types(), *MALFORMED_ORG, *SIGNATURE]


@pytest.fixture(scope="module")
def org(ledger: Outputs) -> Tenant:
    org = fresh(ledger, "bad-input")
    org.record()
    Admin.of(ledger).invoke("anchor", {"org_id": org.org_id})  # so that no later run has anything to change here
    return org


@pytest.fixture(scope="module")
def before(org: Tenant) -> Footprint:
    return Admin.of(org.ledger).footprint(org.org_id)


def _send(org: Tenant, case: Case) -> httpx.Response:
    if isinstance(case.body, bytes):
        return post(org.ledger, case.path, case.body, case.headers)
    body = dict(case.body)
    if body.get("signature") is ...:
        body = {"org_id": org.org_id, **{k: v for k, v in body.items() if k != "signature"}}
    elif "signature" in body:
        body = {"org_id": org.org_id, **body}
    else:
        body = org.signed(body)
    return post(org.ledger, case.path, body, case.headers)


def _refusal(answer: httpx.Response) -> tuple[int, str, str | None]:
    """Status, code and field; everything else that is promised of a refusal is checked here."""
    told = answer.json()
    assert told.keys() == {"error"}
    error = told["error"]
    assert error.keys() <= {"code", "message", "field", "retryable"}
    assert error["message"]
    assert error["retryable"] is False
    return answer.status_code, error["code"], error.get("field")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_is_refused_by_name_and_leaves_nothing(org: Tenant, before: Footprint, case: Case) -> None:
    assert _refusal(_send(org, case)) == (case.status, case.code, case.field)
    admin = Admin.of(org.ledger)
    assert admin.head(org.org_id) == 1
    assert admin.waiting(org.org_id, 2) == []
    assert [(v["Key"], v["VersionId"]) for v in admin.versions(f"{org.org_id}/")] == [*before.versions]


def test_nothing_at_all_was_left_by_any_of_them(org: Tenant, before: Footprint) -> None:
    admin = Admin.of(org.ledger)
    assert admin.footprint(org.org_id) == before
    # Nor under any other name: everything in the table and the bucket belongs to somebody who is registered.
    items = list(admin.items())
    known = {entry["sk"]["S"] for entry in items if entry["pk"]["S"] == "_ORGS"}
    assert {entry["pk"]["S"].partition("#")[0] for entry in items} <= known | {"_ORGS", "_NEWS"}
    assert {version["Key"].partition("/")[0] for version in admin.versions("")} <= known


@pytest.mark.parametrize(
    ("path", "body"), [(RECORD, EVENT), (BATCH, {"events": [EVENT]}), (PROVE, {"audit_id": "x"}), (VERIFY, {})]
)
def test_strangers_all_hear_the_same(ledger: Outputs, path: str, body: dict[str, Any]) -> None:
    org, other, gone = (fresh(ledger, name) for name in ("known", "other", "gone"))
    register = registry(ledger)
    new = register.rotate(org.org_id)
    register.disable(org.org_id, org.key_id)
    register.disable(gone.org_id)
    strangers = {
        "unknown organisation": replace(org, org_id="nobody-here"),
        "wrong secret": replace(org, hmac_secret="0" * 64),
        "another organisation's secret": replace(org, hmac_secret=other.hmac_secret),
        "disabled key": org,
        "disabled key, named": replace(org, named_key=org.key_id),
        "unknown key": replace(org, named_key="k9", hmac_secret=new.hmac_secret),
        "another key's secret": replace(org, named_key=new.key_id),
        "disabled organisation": gone,
    }
    answers = {name: stranger.post(path, body) for name, stranger in strangers.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(strangers, 401)
    bodies = {answer.content for answer in answers.values()}
    assert len(bodies) == 1
    assert json.loads(bodies.pop()) == {
        "error": {
            "code": "UNAUTHENTICATED",
            "message": "org_id, key_id and signature do not belong together",
            "field": "signature",
            "retryable": False,
        }
    }
    assert len({tuple(answer.headers) for answer in answers.values()}) == 1
    admin = Admin.of(ledger)
    for silent in (org, other, gone):
        assert (admin.head(silent.org_id), admin.versions(f"{silent.org_id}/")) == (0, [])


def test_what_was_signed_is_the_whole_request(org: Tenant) -> None:
    signed = org.signed({**EVENT, "idempotency_key": "k", "reason": "because"})
    changed = [
        {**signed, "reason": "Because"},
        {**signed, "idempotency_key": "l"},
        {**signed, "actor": "someone"},
        {name: value for name, value in signed.items() if name != "reason"},
        {**signed, "payload": {**signed["payload"], "tokens": 12501}},
    ]
    for body in changed:
        assert _refusal(post(org.ledger, RECORD, body)) == (401, "UNAUTHENTICATED", "signature")
    # Nor is the signature of one route's arguments good on another, unless they are the same arguments.
    assert post(org.ledger, PROVE, signed).status_code == 400


@pytest.mark.parametrize(("value", "field"), [("hunter2-hunter2", "payload.a"), ("hunter2-hunter2", "level")])
def test_a_refusal_does_not_repeat_what_was_sent(org: Tenant, value: str, field: str) -> None:
    bodies = {"payload.a": _raw(json.dumps({"a": [value, 2**53]})), "level": org.signed({**EVENT, "level": value})}
    assert value not in post(org.ledger, RECORD, bodies[field]).text


def test_the_limit_of_a_record_is_where_it_is_said_to_be(ledger: Outputs) -> None:
    org = fresh(ledger, "limit")
    overhead = len(b'{"event_type":"X","payload":{"a":""}}')
    most = 256 * 1024 - 640 - overhead
    receipt = org.record({"event_type": "X", "payload": {"a": "x" * most}})
    assert len(Admin.of(ledger).body(receipt["s3_key"])) <= 256 * 1024
    answer = org.post(RECORD, {"event_type": "X", "payload": {"a": "x" * (most + 1)}})
    assert _refusal(answer) == (413, "TOO_LARGE", "payload")
    deepest = org.record({"event_type": "X", "payload": _nested(30)})  # 32 with the payload and the body around it
    assert deepest["sequence"] == 2


@pytest.mark.parametrize("body", ["!!!", "e30", "e30=\n=", "/w=="], ids=["alphabet", "padding", "garbage", "not UTF-8"])
def test_broken_base64_from_the_gateway_is_no_server_error(org: Tenant, body: str) -> None:
    event = {"version": "2.0", "routeKey": f"POST {RECORD}", "headers": {}, "body": body, "isBase64Encoded": True}
    answer = Admin.of(org.ledger).invoke("record", event)
    error = json.loads(answer["body"])["error"]
    assert (answer["statusCode"], error["code"], error["field"]) == (400, "INVALID_JSON", "body")


def test_base64_is_read_as_what_it_stands_for(org: Tenant) -> None:
    body = base64.b64encode(json.dumps(org.signed({"audit_id": "x"})).encode()).decode()
    event = {"version": "2.0", "routeKey": f"POST {PROVE}", "headers": {}, "body": body, "isBase64Encoded": True}
    answer = Admin.of(org.ledger).invoke("prove", event)
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD"])
@pytest.mark.parametrize("path", [RECORD, VERIFY, "/v1/record/", "/v1/", "/", "/v1/record/../verify"])
def test_other_methods_and_paths_reach_nothing(ledger: Outputs, method: str, path: str) -> None:
    assert http().request(method, f"{ledger.api_url}{path}").status_code in (404, 405)
