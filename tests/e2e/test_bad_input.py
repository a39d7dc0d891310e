# SPDX-License-Identifier: Apache-2.0
"""Bad input gets a typed 4xx that names the field, and leaves nothing behind (G8).

Shape comes before identity: what cannot be canonicalized (NaN, duplicate members, …) cannot be signed either, so
its refusal must not depend on a signature.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from local.env import Outputs
from tests.e2e.helpers.admin import Admin, Footprint
from tests.e2e.helpers.cases import (
    MALFORMED_ORG,
    NOT_JSON,
    NOT_ONE_VALUE,
    PROVE,
    RECORD,
    SIGNATURE,
    TOO_LARGE,
    VERIFY,
    Case,
    raw,
)
from tests.e2e.helpers.shapes import WRONG_SHAPE, wrong_types
from tests.e2e.helpers.tenant import EVENT, Tenant, fresh, http, post

CASES = [*NOT_JSON, *NOT_ONE_VALUE, *TOO_LARGE, *WRONG_SHAPE, *wrong_types(), *MALFORMED_ORG, *SIGNATURE]


def _nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.fixture(scope="module")
def org(ledger: Outputs) -> Tenant:
    org = fresh(ledger, "bad-input")
    org.record()
    admin = Admin.of(ledger)
    admin.anchor(org.org_id)  # so that no later run has anything to change here
    admin.ledger_log()
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
    assert {entry["pk"]["S"].partition("#")[0] for entry in items} <= known | {"_ORGS", "_NEWS", "_LEDGER", "_ledger"}
    assert {version["Key"].partition("/")[0] for version in admin.versions("")} <= known | {"_ledger"}


@pytest.mark.parametrize(("value", "field"), [("hunter2-hunter2", "payload.a"), ("hunter2-hunter2", "level")])
def test_a_refusal_does_not_repeat_what_was_sent(org: Tenant, value: str, field: str) -> None:
    bodies = {"payload.a": raw(json.dumps({"a": [value, 2**53]})), "level": org.signed({**EVENT, "level": value})}
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
