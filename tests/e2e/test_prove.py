# SPDX-License-Identifier: Apache-2.0
"""Proving one record: its bytes re-read and re-hashed, and nobody else's (G6)."""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Any

import pytest
import rfc8785

from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.forge import Forge, lock_of, rewritten
from tests.e2e.helpers.tenant import EVENT, Tenant, fresh

PROVE = "/v1/prove"


@pytest.fixture(scope="module")
def org(ledger: Outputs) -> Tenant:
    return fresh(ledger, "prove")


def _proof(org: Tenant, **asked: str) -> dict[str, Any]:
    answer = org.post(PROVE, asked)
    assert answer.status_code == 200, answer.text
    proof: dict[str, Any] = answer.json()
    return proof


def test_a_proof_holds_the_record_its_receipt_and_its_lock(org: Tenant) -> None:
    receipt = org.record()
    proof = _proof(org, audit_id=receipt["audit_id"])
    assert proof.keys() == {
        "audit_id",
        "tx_hash",
        "block_height",
        "timestamp",
        "governor_key_id",
        "governor_signature",
        "record",
        "receipt",
        "storage",
        "anchoring",
        "inclusion",
        "ledger",
        "next_anchor_at",
    }
    assert proof["receipt"] == receipt
    assert proof["record"]["event"] == EVENT
    # What an anchored proof holds is in test_merkle_log.py.
    assert (proof["anchoring"], proof["block_height"], proof["inclusion"]) == ("pending", None, None)
    for name in ("audit_id", "tx_hash", "timestamp"):
        assert proof[name] == receipt[name]
    for name in ("governor_signature", "governor_key_id"):
        assert proof[name] == proof["record"][name]
    assert re.fullmatch("[0-9a-f]{64}", proof["governor_signature"])
    assert proof["storage"] == {
        "s3_key": receipt["s3_key"],
        "version_id": receipt["s3_version_id"],
        "lock_mode": receipt["s3_lock_mode"],
        "retain_until": receipt["retention_until"],
        "sha256": receipt["tx_hash"],
        "shadowed_by": [],
    }


def test_the_record_in_a_proof_is_the_stored_bytes(org: Tenant) -> None:
    receipt = org.record(
        {"event_type": "X", "payload": {"é": [1.0, 1e15, 1e-7, 0.1, "\u2028"], "prev_hash": "GENESIS"}}
    )
    answer = org.post(PROVE, {"audit_id": receipt["audit_id"]})
    stored = Admin.of(org.ledger).body(receipt["s3_key"])
    assert stored in answer.content
    assert hashlib.sha256(rfc8785.dumps(answer.json()["record"])).hexdigest() == receipt["tx_hash"]


def test_a_hash_leads_to_the_same_proof_as_an_id(org: Tenant) -> None:
    receipt = org.record()
    assert _proof(org, tx_hash=receipt["tx_hash"]) == _proof(org, audit_id=receipt["audit_id"])


def test_every_record_of_a_batch_can_be_proven(org: Tenant) -> None:
    for receipt in org.record_batch([EVENT, EVENT, EVENT]):
        assert _proof(org, tx_hash=receipt["tx_hash"])["receipt"] == receipt


def test_what_is_not_ours_does_not_exist(ledger: Outputs, org: Tenant) -> None:
    stranger = fresh(ledger, "stranger")
    theirs, mine = stranger.record(), org.record()
    random_hash = hashlib.sha256(b"never recorded").hexdigest()
    asked = [
        {"audit_id": theirs["audit_id"]},
        {"tx_hash": theirs["tx_hash"]},
        {"tx_hash": random_hash},
        {"tx_hash": mine["tx_hash"].upper()},
        {"tx_hash": mine["tx_hash"][:-1]},
        {"tx_hash": "GENESIS"},
        {"tx_hash": f"{theirs['tx_hash'][:40]}#TX#"},
        {"audit_id": str(uuid.uuid4())},
        {"audit_id": mine["audit_id"].upper()},
        {"audit_id": mine["audit_id"][:-1] + ("0" if mine["audit_id"][-1] != "0" else "1")},
        {"audit_id": "../" + theirs["audit_id"]},
        {"audit_id": "00000000-0000-8000-8000-000000000000"},
        {"audit_id": "ffffffff-ffff-8fff-bfff-ffffffffffff"},
        {"audit_id": f"{{{mine['audit_id']}}}"},
        {"audit_id": "\u0000"},
        {"audit_id": "%00"},
        {"audit_id": "é" * 64},
    ]
    answers = [org.post(PROVE, one) for one in asked]
    assert [answer.status_code for answer in answers] == [404] * len(asked)
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["error"]["code"] == "NOT_FOUND"
    assert _proof(org, audit_id=mine["audit_id"])["receipt"] == mine


def test_what_lies_over_a_record_is_told_and_changes_nothing(ledger: Outputs) -> None:
    org, admin = fresh(ledger, "shadowed"), Admin.of(ledger)
    overlaid, hidden = org.record(), org.record()
    newer = admin.overlay(overlaid["s3_key"], b"{}")
    marker = admin.hide(hidden["s3_key"])
    for receipt, over in ((overlaid, newer), (hidden, f"delete marker {marker}")):
        proof = _proof(org, audit_id=receipt["audit_id"])
        assert proof["receipt"] == receipt
        assert proof["storage"]["shadowed_by"] == [over]
        assert proof["record"]["event"] == EVENT


def test_a_committed_record_that_is_not_sealed_is_asked_for_again(ledger: Outputs) -> None:
    org = fresh(ledger, "unsealed")
    forge = Forge(Admin.of(ledger), org.org_id)
    (one,) = forge.build(1)
    forge.commit([one], waiting=[1])
    answer = org.post(PROVE, {"audit_id": one.audit_id})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["retryable"], error["audit_id"]) == (
        503,
        "NOT_SEALED",
        True,
        one.audit_id,
    )
    assert answer.headers["retry-after"] == "1"


def test_bytes_that_are_not_what_was_recorded_are_no_proof(ledger: Outputs) -> None:
    org, admin = fresh(ledger, "forged"), Admin.of(ledger)
    forge = Forge(admin, org.org_id)
    real, moved, junk = forge.build(3)
    forge.commit([real, moved, junk])
    forge.records.seal(real)
    forge.put(moved.s3_key, real.data, **lock_of(moved))
    forge.put(junk.s3_key, b"not a record", **lock_of(junk))
    assert _proof(org, audit_id=real.audit_id)["tx_hash"] == real.tx_hash
    for one in (moved, junk):
        answer = org.post(PROVE, {"audit_id": one.audit_id})
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "EVIDENCE_BROKEN")


def test_a_hash_that_the_index_ties_to_another_record_is_no_proof(ledger: Outputs) -> None:
    org, admin = fresh(ledger, "index"), Admin.of(ledger)
    forge = Forge(admin, org.org_id)
    one, other = forge.written(2)
    lie = {"pk": {"S": f"{org.org_id}#TX#{one.tx_hash}"}, "sk": {"S": "-"}, "audit_id": {"S": other.audit_id}}
    admin.dynamodb.put_item(TableName=admin.table, Item=lie)
    answer = org.post(PROVE, {"tx_hash": one.tx_hash})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "EVIDENCE_BROKEN")
    assert rewritten(one, b'"number":0', b'"number":7').tx_hash != one.tx_hash
