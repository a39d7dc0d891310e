# SPDX-License-Identifier: Apache-2.0
"""The anchor function finishes what recording left, covers only what it re-read, and stops for nobody else (G3, G5)."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from indelible.aws.dynamo_index import DynamoNews
from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.begun import key_disabled_in_use
from tests.e2e.helpers.forge import Forge, lock_of
from tests.e2e.helpers.tenant import Tenant, events, fresh

NOTHING = {"records": 0, "sealed": 0, "repaired": 0, "unfinished": 0, "broken": {}, "failed": {}, "not_reached": []}


@pytest.fixture(scope="module", autouse=True)
def _begin_what_takes_a_minute(ledger: Outputs) -> None:
    key_disabled_in_use(ledger)


@pytest.fixture
def org(ledger: Outputs) -> Tenant:
    return fresh(ledger, "anchored")


@pytest.fixture
def admin(ledger: Outputs) -> Admin:
    return Admin.of(ledger)


@pytest.fixture
def forge(admin: Admin, org: Tenant) -> Forge:
    """Writes without leaving news."""
    return Forge(admin, org.org_id)


def _log(admin: Admin, org: Tenant) -> tuple[int, str, int] | None:
    """Tree size, tail hash, and how far the outbox was emptied."""
    found = admin.item(org.org_id, "LOG")
    if found is None:
        return None
    return int(found["tree_size"]["N"]), found["tail_hash"]["S"], int(found["cleared"]["N"])


def _mark(admin: Admin, orgs: Sequence[Tenant]) -> None:
    news = DynamoNews(client=admin.dynamodb, table=admin.table)
    for org in orgs:
        news.mark(org.org_id, time.time_ns() // 1_000_000)


def test_covered_records_leave_the_outbox(admin: Admin, org: Tenant) -> None:
    receipts = org.record_batch(events(5))
    report = admin.anchor(org.org_id)
    assert report["records"] == 5
    assert _log(admin, org) == (5, receipts[-1]["tx_hash"], 5)
    assert admin.waiting(org.org_id, 5) == []
    assert admin.anchor(org.org_id) == {**NOTHING, "organisations": 1}
    sixth = org.record()
    assert admin.waiting(org.org_id, 6) == [6]
    admin.anchor(org.org_id)
    assert _log(admin, org) == (6, sixth["tx_hash"], 6)
    verdict = org.verify()
    assert (verdict["valid"], verdict["entries_checked"]) == (True, 6)


def test_before_it_ran_the_outbox_holds_the_very_bytes(admin: Admin, org: Tenant, forge: Forge) -> None:
    chain = forge.build(2)
    forge.commit(chain, waiting=[1, 2])
    for one in chain:
        held = admin.item(f"{org.org_id}#OUTBOX#{one.sequence}")
        assert held is not None
        assert hashlib.sha256(held["data"]["B"]).hexdigest() == one.tx_hash


def test_what_was_committed_and_not_sealed_is_sealed(admin: Admin, org: Tenant, forge: Forge) -> None:
    chain = forge.build(4)
    forge.commit(chain, waiting=[1, 2, 3, 4])
    forge.seal(chain, without=[2, 4])
    report = admin.anchor(org.org_id)
    assert report == {**NOTHING, "organisations": 1, "records": 4, "sealed": 2, "repaired": 4}
    assert _log(admin, org) == (4, chain[3].tx_hash, 4)
    assert admin.waiting(org.org_id, 4) == []
    for one in chain:
        assert admin.body(one.s3_key) == one.data
        lock = admin.s3.get_object_retention(Bucket=admin.bucket, Key=one.s3_key)["Retention"]
        assert {f"ObjectLock{name}": value for name, value in lock.items()} == lock_of(one)
    verdict = org.verify()
    assert (verdict["valid"], verdict["entries_checked"], verdict["pending"]) == (True, 4, [])


def test_a_lost_hash_is_found_again(admin: Admin, org: Tenant, forge: Forge) -> None:
    chain = forge.written(3)
    lost = {"tx_hash": chain[1].tx_hash}
    assert org.post("/v1/prove", lost).status_code == 404
    assert admin.anchor(org.org_id)["repaired"] == 3
    proof = org.post("/v1/prove", lost)
    assert (proof.status_code, proof.json()["audit_id"]) == (200, chain[1].audit_id)


def test_a_broken_chain_stops_its_own_organisation_only(ledger: Outputs, admin: Admin) -> None:
    broken, healthy = fresh(ledger, "anchor-a-broken"), fresh(ledger, "anchor-b-healthy")
    bad, good = Forge(admin, broken.org_id), Forge(admin, healthy.org_id)
    chain = bad.build(4)
    bad.commit(chain)
    bad.seal(chain, without=[3])
    fine = good.written(2)
    _mark(admin, [broken, healthy])
    report = admin.round(run="news")
    found = report["broken"][broken.org_id]
    assert (found["code"], found["sequence"]) == ("MISSING", 3)
    assert healthy.org_id not in report["broken"]
    assert _log(admin, broken) is None
    assert _log(admin, healthy) == (2, fine[1].tx_hash, 2)
    # And again: it is told until it is mended.
    assert broken.org_id in admin.anchor(broken.org_id)["broken"]


def test_a_chain_that_breaks_later_keeps_what_was_covered(admin: Admin, org: Tenant, forge: Forge) -> None:
    first = forge.written(2)
    admin.anchor(org.org_id)
    stranger = forge.build(3)[2]  # follows another second record
    forge.commit([stranger], first[1].head, waiting=[3])
    forge.records.seal(stranger)
    report = admin.anchor(org.org_id)
    found = report["broken"][org.org_id]
    assert (found["code"], found["sequence"]) == ("BROKEN_LINK", 3)
    assert _log(admin, org) == (2, first[1].tx_hash, 2)
    assert admin.waiting(org.org_id, 3) == [3]


def test_a_key_that_holds_something_else_is_never_covered(admin: Admin, org: Tenant, forge: Forge) -> None:
    chain = forge.build(2)
    forge.commit(chain, waiting=[1, 2])
    forge.records.seal(chain[0])
    forge.put(chain[1].s3_key, b"{}", **lock_of(chain[1]))
    report = admin.anchor(org.org_id)
    assert report["broken"][org.org_id]["sequence"] == 2
    assert _log(admin, org) is None
    assert admin.waiting(org.org_id, 2) == [1, 2]


def test_a_shadow_is_no_break(admin: Admin, org: Tenant, forge: Forge) -> None:
    chain = forge.written(3)
    admin.hide(chain[1].s3_key)
    report = admin.anchor(org.org_id)
    assert (report["records"], report["broken"]) == (3, {})
    assert _log(admin, org) == (3, chain[2].tx_hash, 3)


def test_a_head_behind_the_bucket_is_not_anchored(admin: Admin, org: Tenant, forge: Forge) -> None:
    chain = forge.build(3)
    forge.commit(chain[:2])
    forge.seal(chain)
    assert admin.anchor(org.org_id)["failed"] == {org.org_id: "HEAD_REGRESSED"}
    assert _log(admin, org) is None


def test_runs_at_the_same_time_agree(admin: Admin, org: Tenant, forge: Forge) -> None:
    chain = forge.build(30)
    forge.commit(chain, waiting=range(1, 31))
    forge.seal(chain, without=range(10, 20))
    with ThreadPoolExecutor(3) as pool:
        reports = [*pool.map(lambda _: admin.anchor(org.org_id), range(3))]
    assert [(report["broken"], report["failed"]) for report in reports] == [({}, {})] * 3
    assert _log(admin, org) == (30, chain[29].tx_hash, 30)
    assert admin.waiting(org.org_id, 30) == []
    assert org.verify()["entries_checked"] == 30


def test_the_sweep_needs_no_news(admin: Admin, org: Tenant, forge: Forge) -> None:
    chain = forge.written(1)
    admin.round(run="sweep")
    assert _log(admin, org) == (1, chain[0].tx_hash, 1)


@pytest.mark.parametrize("event", [{}, {"organisations": "acme-corp"}, {"organisations": [7]}])
def test_an_event_that_says_nothing_fails_for_all_to_see(admin: Admin, event: dict[str, Any]) -> None:
    function = admin.function("anchor")
    answer = admin.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    assert answer["FunctionError"]
