# SPDX-License-Identifier: Apache-2.0
"""`indelible rebuild` on the deployed ledger: the table's items are lost, come back, and nothing has happened (G4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.commands import indelible
from tests.e2e.helpers.forge import Forge
from tests.e2e.helpers.tenant import Tenant, events, fresh


@pytest.fixture
def admin(ledger: Outputs) -> Admin:
    return Admin.of(ledger)


def rebuild(ledger: Outputs, *words: str) -> tuple[int, dict[str, Any]]:
    """As an operator runs it: the exit status, and what it says of the one organisation."""
    done = indelible("rebuild", *words, "--json", environment=ledger.environment())
    assert done.stdout, done.stderr
    (report,) = json.loads(done.stdout)["organisations"]
    return done.returncode, report


def lose(admin: Admin, org_id: str) -> int:
    """Delete every item of one organisation, its name in the registry too."""
    lost = [
        {"pk": entry["pk"], "sk": entry["sk"]}
        for entry in admin.items()
        if entry["pk"]["S"] == org_id
        or entry["pk"]["S"].startswith(f"{org_id}#")
        or (entry["pk"]["S"], entry["sk"]["S"]) == ("_ORGS", org_id)
    ]
    for key in lost:
        admin.dynamodb.delete_item(TableName=admin.table, Key=key)
    return len(lost)


def test_a_lost_table_comes_back_and_recording_goes_on(ledger: Outputs, admin: Admin) -> None:
    org = fresh(ledger, "lost")
    receipts = org.record_batch(events(5))
    admin.anchor(org.org_id)
    receipts += org.record_batch(events(2))
    before = org.post("/v1/prove", {"audit_id": receipts[1]["audit_id"]}).json()
    config = admin.item(org.org_id, "CONFIG")
    assert lose(admin, org.org_id) > 7

    status, said = rebuild(ledger, "--org", org.org_id)
    assert (status, said["records"], said["failures"], said["settled"]) == (1, 7, [], False)
    assert [change["item"] for change in said["changes"]] == ["index", "days", "log", "config", "registry", "head"]
    assert admin.item(org.org_id, "HEAD") is None, "a dry run writes nothing"

    status, said = rebuild(ledger, "--org", org.org_id, "--apply")
    assert (status, said["settled"], said["applied"]) == (0, True, True)
    assert rebuild(ledger, "--org", org.org_id) == (0, {**said, "applied": False, "changes": []})
    found = admin.item(org.org_id, "CONFIG")
    assert [key["key_id"] for key in json.loads(found["config"]["S"])["keys"]] == ["k1"]
    assert set(json.loads(config["config"]["S"])) == set(json.loads(found["config"]["S"]))

    after = org.record()
    assert (after["sequence"], after["prev_hash"]) == (8, receipts[-1]["tx_hash"])
    proof = org.post("/v1/prove", {"audit_id": receipts[1]["audit_id"]}).json()
    assert proof == {**before, "ledger": proof["ledger"]}, "the ledger's own log may have gone on meanwhile"
    for receipt in receipts:
        proof = org.post("/v1/prove", {"tx_hash": receipt["tx_hash"]})
        assert (proof.status_code, proof.json()["audit_id"]) == (200, receipt["audit_id"])
    summary = admin.anchor(org.org_id)
    assert (summary["broken"], list(summary["failed"])) == ({}, [])
    verdict = org.verify()
    assert (verdict["valid"], verdict["entries_checked"], verdict["checkpoint"]["tree_size"]) == (True, 8, 8)


def test_a_head_from_a_backup_stops_recording_until_it_is_rebuilt(ledger: Outputs, admin: Admin) -> None:
    org = fresh(ledger, "restored")
    forge = Forge(admin, org.org_id)
    chain = forge.build(4)
    forge.commit(chain[:2])
    forge.seal(chain[:3])  # the third was recorded after the backup, the fourth is committed and waits
    answer = org.post("/v1/record", {"event_type": "X"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "HEAD_REGRESSED")

    forge.commit(chain[2:], chain[1].head, waiting=[4])
    admin.set_head(org.org_id, chain[1].head)
    status, said = rebuild(ledger, "--org", org.org_id, "--apply")
    assert (status, said["records"], said["waiting"]) == (0, 3, 1)
    receipt = org.record()
    assert (receipt["sequence"], receipt["prev_hash"]) == (5, chain[3].tx_hash)
    admin.anchor(org.org_id)
    verdict = org.verify()
    assert (verdict["valid"], verdict["entries_checked"], verdict["pending"]) == (True, 5, [])


def test_a_register_of_an_older_version_is_given_its_root(ledger: Outputs, admin: Admin) -> None:
    org = fresh(ledger, "rootless")
    org.record_batch(events(3))
    admin.anchor(org.org_id)
    admin.dynamodb.update_item(
        TableName=admin.table,
        Key={"pk": {"S": org.org_id}, "sk": {"S": "LOG"}},
        UpdateExpression="REMOVE #root",
        ExpressionAttributeNames={"#root": "root"},
    )
    assert rebuild(ledger, "--org", org.org_id, "--apply")[0] == 0
    org.record()
    assert admin.anchor(org.org_id)["broken"] == {}
    assert org.verify()["checkpoint"]["tree_size"] == 4


def test_a_broken_chain_is_refused_until_its_failure_is_named(ledger: Outputs, admin: Admin) -> None:
    org = fresh(ledger, "holed")
    forge = Forge(admin, org.org_id)
    chain = forge.build(4)
    forge.seal(chain, without=[2])
    status, said = rebuild(ledger, "--org", org.org_id, "--apply")
    assert (status, [(one["code"], one["sequence"]) for one in said["refused"]]) == (1, [("MISSING", 2)])
    assert admin.head(org.org_id) == 0
    assert rebuild(ledger, "--org", org.org_id, "--apply", "--accept", "MISSING:2")[0] == 0
    assert admin.head(org.org_id) == 4
    assert _next(org) == 5


def _next(org: Tenant) -> int:
    sequence: int = org.record()["sequence"]
    return sequence
