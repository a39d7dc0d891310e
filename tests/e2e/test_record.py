# SPDX-License-Identifier: Apache-2.0
"""Recording over plain HTTP: what the receipt says is what the bucket holds (G1); a retry is no second record (G3)."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import rfc8785

from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.tenant import EVENT, Tenant, events, fresh, http, post

RECEIPT_FIELDS = {
    "audit_id",
    "tx_hash",
    "sequence",
    "prev_hash",
    "timestamp",
    "s3_key",
    "s3_version_id",
    "s3_lock_mode",
    "retention_until",
}


@pytest.fixture(scope="module")
def org(ledger: Outputs) -> Tenant:
    return fresh(ledger, "record")


def _instant(text: str) -> datetime:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    return datetime.fromisoformat(text)


def _stored(org: Tenant, receipt: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """The object that a receipt names, and its record."""
    data = Admin.of(org.ledger).body(receipt["s3_key"], receipt["s3_version_id"])
    return data, json.loads(data)


def test_the_request_that_customers_were_shown_works_as_curl_sends_it(org: Tenant) -> None:
    # `curl -d` calls every body a form; API Gateway then hands it on in Base64.
    form = {"content-type": "application/x-www-form-urlencoded", "user-agent": "curl/8.5.0", "accept": "*/*"}
    answer = org.post("/v1/record", EVENT, form)
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"status", "receipt"}
    assert answer.json()["status"] == "recorded"


def test_the_first_receipt_has_every_field(ledger: Outputs) -> None:
    org = fresh(ledger, "first")
    before = datetime.now(UTC).replace(microsecond=0)
    receipt = org.record()
    assert receipt.keys() == RECEIPT_FIELDS
    assert (receipt["sequence"], receipt["prev_hash"], receipt["s3_lock_mode"]) == (1, "GENESIS", "COMPLIANCE")
    assert re.fullmatch(r"[0-9a-f]{64}", receipt["tx_hash"])
    assert uuid.UUID(receipt["audit_id"]).version == 8
    timestamp, until = _instant(receipt["timestamp"]), _instant(receipt["retention_until"])
    assert before <= timestamp <= datetime.now(UTC)
    assert receipt["s3_key"] == f"{org.org_id}/{timestamp:%Y/%m/%d}/000000000001-{receipt['audit_id']}.json"
    # The first midnight that is not earlier than 2,555 days later.
    promised = timestamp + timedelta(days=2555)
    assert until.time().isoformat() == "00:00:00"
    assert promised <= until < promised + timedelta(days=1)


def test_the_second_record_names_the_first(ledger: Outputs) -> None:
    org = fresh(ledger, "second")
    first, second = org.record(), org.record()
    assert (second["sequence"], second["prev_hash"]) == (2, first["tx_hash"])
    assert second["timestamp"] >= first["timestamp"]


def test_the_stored_bytes_are_what_the_receipt_says(org: Tenant) -> None:
    receipt = org.record()
    admin = Admin.of(org.ledger)
    data, stored = _stored(org, receipt)
    digest = hashlib.sha256(data).digest()
    assert digest.hex() == receipt["tx_hash"]
    which = {"Bucket": admin.bucket, "Key": receipt["s3_key"], "VersionId": receipt["s3_version_id"]}
    seen = admin.s3.head_object(**which, ChecksumMode="ENABLED")
    assert seen["ChecksumSHA256"] == base64.b64encode(digest).decode()
    assert data == rfc8785.dumps(stored)
    assert stored.keys() == {
        "audit_id",
        "event",
        "format",
        "governor_key_id",
        "governor_signature",
        "lock_mode",
        "org_id",
        "prev_hash",
        "retain_until",
        "sequence",
        "timestamp",
    }
    assert stored["event"] == EVENT
    assert (stored["format"], stored["org_id"]) == ("indelible/record@v1", org.org_id)
    for in_record, in_receipt in (
        ("audit_id", "audit_id"),
        ("sequence", "sequence"),
        ("prev_hash", "prev_hash"),
        ("timestamp", "timestamp"),
        ("lock_mode", "s3_lock_mode"),
        ("retain_until", "retention_until"),
    ):
        assert stored[in_record] == receipt[in_receipt]


def test_the_object_is_locked_as_the_receipt_says(org: Tenant) -> None:
    receipt = org.record()
    admin = Admin.of(org.ledger)
    which = {"Bucket": admin.bucket, "Key": receipt["s3_key"], "VersionId": receipt["s3_version_id"]}
    lock = admin.s3.get_object_retention(**which)["Retention"]
    assert lock["Mode"] == receipt["s3_lock_mode"]
    assert lock["RetainUntilDate"] == _instant(receipt["retention_until"])
    assert [(v["VersionId"], v["IsLatest"]) for v in admin.versions(receipt["s3_key"])] == [
        (receipt["s3_version_id"], True)
    ]


def test_every_field_of_an_event_is_kept(org: Tenant) -> None:
    event = {
        **EVENT,
        "level": "decision",
        "trace_id": "trace-1",
        "correlation_id": "call-7",
        "actor": "classifier",
        "action": "classify",
        "target": "document-81",
        "reason": "All three rules matched: größer als 0,9 — 承認 🟢",
        "occurred_at": "2026-03-20T14:22:01.481+01:00",
        "regulatory": {
            "regulations": ["EU-AI-ACT"],
            "rule_citations": ["Art. 12(1)"],
            "confidence": 0.93,
            "human_override": {"overridden": True, "operator": "jane", "reason": "second look"},
        },
    }
    _, stored = _stored(org, org.record(event))
    assert stored["event"] == event


def test_a_batch_of_a_hundred_becomes_consecutive_records(ledger: Outputs) -> None:
    org = fresh(ledger, "batch")
    sent = events(100)
    receipts = org.record_batch(sent)
    assert [receipt["sequence"] for receipt in receipts] == list(range(1, 101))
    assert [receipt["prev_hash"] for receipt in receipts] == ["GENESIS", *(r["tx_hash"] for r in receipts[:-1])]
    assert len({receipt["audit_id"] for receipt in receipts}) == 100
    assert Admin.of(ledger).keys(org.org_id) == [receipt["s3_key"] for receipt in receipts]
    assert [_stored(org, receipt)[1]["event"] for receipt in receipts] == sent
    assert org.verify()["valid"] is True


def test_a_retry_with_the_same_key_gets_the_same_receipt(ledger: Outputs) -> None:
    org = fresh(ledger, "retry")
    first = org.record(idempotency_key="order-1")
    other = org.record()
    assert org.record(idempotency_key="order-1") == first
    assert org.record(idempotency_key="order-1", signed_at=datetime.now(UTC).isoformat()) == first
    assert other["sequence"] == 2
    assert Admin.of(ledger).head(org.org_id) == 2


def test_a_batch_over_two_transactions_is_retried_as_one(ledger: Outputs) -> None:
    org = fresh(ledger, "retry-batch")
    sent = events(100)
    first = org.record_batch(sent, idempotency_key="batch-1")
    assert org.record_batch(sent, idempotency_key="batch-1") == first
    assert Admin.of(ledger).head(org.org_id) == 100


def test_a_used_key_with_another_event_is_a_conflict(ledger: Outputs) -> None:
    org = fresh(ledger, "conflict")
    org.record(idempotency_key="order-1")
    for path, body in (
        ("/v1/record", {**EVENT, "payload": {"decision": "DENIED"}}),
        ("/v1/record/batch", {"events": [EVENT, EVENT]}),
    ):
        answer = org.post(path, {**body, "idempotency_key": "order-1"})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["field"], error["retryable"]) == (
            409,
            "IDEMPOTENCY_CONFLICT",
            "idempotency_key",
            False,
        )
    assert Admin.of(ledger).head(org.org_id) == 1


def test_idempotency_keys_belong_to_their_organisation(ledger: Outputs) -> None:
    one, two = fresh(ledger, "idem-one"), fresh(ledger, "idem-two")
    assert one.record(idempotency_key="order-1")["audit_id"] != two.record(idempotency_key="order-1")["audit_id"]


def test_detail_is_another_name_for_payload(org: Tenant) -> None:
    _, stored = _stored(org, org.record({"event_type": "TOOL_RESULT", "detail": {"rows": 3}}))
    assert stored["event"] == {"event_type": "TOOL_RESULT", "payload": {"rows": 3}}


def test_credentials_are_taken_out_before_they_are_sealed(org: Tenant) -> None:
    token = "ghp_" + "a1B2" * 9
    receipt = org.record(
        {
            "event_type": "TOOL_CALL",
            "reason": f"used {token} to clone",
            "payload": {
                "db": {"password": "hunter2", "host": "db-1"},
                "max_tokens": 10,
                "urls": ["https://me:hunter2@x.example"],
            },
        }
    )
    data, stored = _stored(org, receipt)
    assert b"hunter2" not in data
    assert token.encode() not in data
    assert stored["event"] == {
        "event_type": "TOOL_CALL",
        "reason": "used [REDACTED] to clone",
        "payload": {
            "db": {"password": "[REDACTED]", "host": "db-1"},
            "max_tokens": 10,
            "urls": ["https://[REDACTED]@x.example"],
        },
        "sanitized_paths": ["/payload/db/password", "/payload/urls/0", "/reason"],
    }


def test_the_organisation_header_must_agree(org: Tenant) -> None:
    agreeing = org.post("/v1/record", EVENT, {"X-Novus-Org-ID": org.org_id})
    assert agreeing.status_code == 200
    head = Admin.of(org.ledger).head(org.org_id)
    for path, body in (("/v1/record", EVENT), ("/v1/prove", {"audit_id": "x"}), ("/v1/verify", {})):
        answer = org.post(path, body, {"X-Novus-Org-ID": org.ledger.org_id})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "ORG_MISMATCH")
    assert Admin.of(org.ledger).head(org.org_id) == head


def test_signed_at_is_checked_where_it_is_sent(org: Tenant) -> None:
    now = datetime.now(UTC)
    assert org.record(signed_at=now.isoformat(), key_id=org.key_id)["sequence"] >= 1
    for moment in (now - timedelta(minutes=6), now + timedelta(minutes=6)):
        answer = org.post("/v1/record", {**EVENT, "signed_at": moment.isoformat()})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["field"]) == (401, "STALE_SIGNATURE", "signed_at")


def test_answers_are_json_and_never_cached(org: Tenant) -> None:
    good = org.post("/v1/record", EVENT)
    bad = post(org.ledger, "/v1/record", b"{")
    for answer in (good, bad):
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/record"), ("POST", "/v1/nothing"), ("DELETE", "/v1/verify")])
def test_other_routes_do_not_exist(ledger: Outputs, method: str, path: str) -> None:
    answer: httpx.Response = http().request(method, f"{ledger.api_url}{path}")
    assert answer.status_code in (404, 405)


def test_a_table_that_went_back_in_time_stops_recording(ledger: Outputs) -> None:
    org = fresh(ledger, "restored")
    admin = Admin.of(ledger)
    org.record()
    old = admin.item(org.org_id, "HEAD")
    org.record()
    admin.dynamodb.put_item(TableName=admin.table, Item=old)
    before = admin.versions(f"{org.org_id}/2")
    answer = org.post("/v1/record", EVENT)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["retryable"]) == (503, "HEAD_REGRESSED", False)
    assert admin.versions(f"{org.org_id}/2") == before
