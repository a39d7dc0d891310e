# SPDX-License-Identifier: Apache-2.0
"""Deployed: one tenant, with credentials that are good, asks every endpoint for what is another's (G6).

What is compared is the whole answer, headers but for ids and dates included: another's things and things that do not
exist are the same. (Under tokens and AWS identities: test_auth_jwt, test_auth_iam; with every port spied on:
tests/unit/entry/test_isolation.py.)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.tenant import EVENT, Tenant, events, fresh, post

ROUTES: dict[str, dict[str, Any]] = {
    "/v1/record": EVENT,
    "/v1/record/batch": {"events": [EVENT]},
    "/v1/prove": {"tx_hash": "0" * 64},
    "/v1/verify": {},
}
TOOLS = {"/v1/record": "record_audit_event", "/v1/prove": "get_audit_proof", "/v1/verify": "verify_chain"}
WAYS = [("rest", path) for path in ROUTES] + [("mcp", path) for path in TOOLS]
_VARYING = {"date", "x-amzn-requestid", "x-amz-request-id", "x-amz-id-2", "apigw-requestid", "content-length"}


@dataclass(frozen=True)
class Pair:
    """Two organisations, and what the second has recorded."""

    ours: Tenant
    theirs: Tenant
    receipts: list[dict[str, Any]]


@pytest.fixture(scope="module")
def pair(ledger: Outputs) -> Pair:
    ours, theirs = fresh(ledger, "ours"), fresh(ledger, "theirs")
    ours.record_batch(events(2))
    receipts = theirs.record_batch(events(4, secret="theirs"))
    receipts.append(theirs.record({**EVENT, "reason": "theirs"}, idempotency_key="shared-key"))
    for org in (ours, theirs):  # so that no later run has anything to change here
        Admin.of(ledger).anchor(org.org_id)
    return Pair(ours, theirs, receipts)


def ask(
    org: Tenant, way: tuple[str, str], arguments: dict[str, Any], headers: dict[str, str] | None = None
) -> httpx.Response:
    protocol, path = way
    signed = org.signed(arguments)
    if protocol == "rest":
        return post(org.ledger, path, signed, headers)
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": TOOLS[path], "arguments": signed}}
    return post(org.ledger, "/mcp", call, headers)


def whole(answer: httpx.Response) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in _VARYING)
    return answer.status_code, tuple(headers), answer.content


def content(answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()
    return found["result"]["structuredContent"] if "result" in found else found


@pytest.mark.parametrize("protocol", ["rest", "mcp"])
def test_another_s_ids_and_hashes_are_not_found(pair: Pair, protocol: str) -> None:
    before = Admin.of(pair.ours.ledger).footprint(pair.theirs.org_id)
    one = pair.receipts[1]
    asked = [
        {"audit_id": one["audit_id"]},
        {"tx_hash": one["tx_hash"]},
        {"tx_hash": one["prev_hash"]},
        {"audit_id": "019d09e8-7109-8000-8000-000400000005"},
        {"audit_id": one["s3_key"].partition("/")[2][:64]},
        {"audit_id": f"../{pair.theirs.org_id}"[:64]},
        {"tx_hash": f"x#TX#{one['tx_hash'][:40]}"},
        {"tx_hash": "0" * 64},
        {"tx_hash": "HEAD"},
        {"audit_id": "\U0001f511" * 64},
    ]
    answers = [whole(ask(pair.ours, (protocol, "/v1/prove"), arguments)) for arguments in asked]
    assert answers == [answers[0]] * len(asked)
    assert b"NOT_FOUND" in answers[0][2]
    assert Admin.of(pair.ours.ledger).footprint(pair.theirs.org_id) == before


@pytest.mark.parametrize("protocol", ["rest", "mcp"])
def test_another_s_records_are_in_no_range(pair: Pair, protocol: str) -> None:
    def verdict(**asked: Any) -> dict[str, Any]:
        found = content(ask(pair.ours, (protocol, "/v1/verify"), asked))
        assert found.pop("verification_time_ms") >= 0
        return found

    everything = verdict()
    assert (everything["valid"], everything["entries_checked"], everything["failures"]) == (True, 2, [])
    assert verdict(start_seq=1, end_seq=2) == everything
    # Sequences that they have and we have not are like those that nobody has.
    assert verdict(start_seq=3, end_seq=5) == verdict(start_seq=1003, end_seq=1005)
    assert verdict(**{"from": pair.receipts[0]["timestamp"]})["entries_checked"] <= 2


@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_another_s_name_is_nobody_s(pair: Pair, way: tuple[str, str]) -> None:
    body = ROUTES[way[1]]
    named = [whole(ask(pair.ours, way, {**body, "org_id": org})) for org in (pair.theirs.org_id, "nobody-here")]
    headed = [
        whole(ask(pair.ours, way, body, {"X-Novus-Org-ID": org}))
        for org in (pair.theirs.org_id, "nobody-here", "_admin", "_ORGS", f"{pair.ours.org_id}/../{pair.theirs.org_id}")
    ]
    keyed = [whole(ask(pair.ours, way, {**body, "key_id": key})) for key in ("k9", "none", "k1/../k1", "k" * 64)]
    assert named == [named[0]] * 2
    assert headed == [headed[0]] * 5
    assert keyed == [keyed[0]] * 4 == [named[0]] * 4
    assert b"UNAUTHENTICATED" in named[0][2]
    assert b"ORG_MISMATCH" in headed[0][2]
    admin = Admin.of(pair.ours.ledger)
    assert [admin.head(org.org_id) for org in (pair.ours, pair.theirs)] == [2, 5]


@pytest.mark.parametrize("protocol", ["rest", "mcp"])
def test_another_s_idempotency_key_is_free(pair: Pair, protocol: str) -> None:
    own = fresh(pair.ours.ledger, "free")
    receipt = content(ask(own, (protocol, "/v1/record"), {**EVENT, "idempotency_key": "shared-key"}))["receipt"]
    assert (receipt["sequence"], receipt["prev_hash"]) == (1, "GENESIS")
    assert pair.theirs.record({**EVENT, "reason": "theirs"}, idempotency_key="shared-key") == pair.receipts[-1]


def test_nothing_in_a_request_gets_into_a_key(ledger: Outputs) -> None:
    own, admin = fresh(ledger, "steer"), Admin.of(ledger)
    hostile = ["../../globex", "_admin", "_ORGS", "x#OUTBOX#1", "x/_log/checkpoint", "acme‐corp", "\u202e", "😀" * 64]
    for text in hostile:
        event = {**EVENT, "actor": text, "target": text, "trace_id": text, "correlation_id": text}
        own.record({**event, "payload": {"org_id": text, "s3_key": text, text: text}}, idempotency_key=text * 2)
    keys = admin.keys(own.org_id)
    assert len(keys) == len(hostile)
    assert all(json.loads(admin.body(key))["org_id"] == own.org_id for key in keys)
    known = {entry["sk"]["S"] for entry in admin.items() if entry["pk"]["S"] == "_ORGS"}
    assert {version["Key"].partition("/")[0] for version in admin.versions("")} <= known | {"_ledger"}
    assert {entry["pk"]["S"].partition("#")[0] for entry in admin.items()} <= known | {
        "_ORGS",
        "_NEWS",
        "_LEDGER",
        "_ledger",
    }
    own_items = [entry for entry in admin.items() if own.org_id in entry["pk"]["S"]]
    parts = {entry["pk"]["S"].partition("#")[2].partition("#")[0] for entry in own_items}
    assert parts <= {"", "OUTBOX", "TX", "IDEM"}
