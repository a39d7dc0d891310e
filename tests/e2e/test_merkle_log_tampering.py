# SPDX-License-Identifier: Apache-2.0
"""What can be done to the files of a signed log: each is named by verify, or changes nothing (architecture §6).

A truncated chain is here too: the signed log is what misses its end, when the table was made to agree.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from indelible.domain.record import Record, Retention
from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.forge import Forge
from tests.e2e.helpers.merkle_log import MerkleLog, numbered
from tests.e2e.helpers.tenant import Tenant, fresh

_PROVE = "/v1/prove"


@pytest.fixture
def org(ledger: Outputs) -> Tenant:
    return fresh(ledger, "log-tampered")


@pytest.fixture
def forge(org: Tenant) -> Forge:
    return Forge(Admin.of(org.ledger), org.org_id)


# -- files laid over, hidden, or forged -----------------------------------------------------------------


@pytest.fixture
def five(org: Tenant, forge: Forge) -> tuple[Tenant, MerkleLog, list[Record]]:
    """Five records under a checkpoint."""
    chain = forge.written(5)
    log = MerkleLog.of(org)
    log.anchor()
    assert log.sizes() == [5]
    return org, log, chain


Five = tuple[Tenant, MerkleLog, list[Record]]


def _codes(verdict: dict[str, Any]) -> set[str]:
    return {failure["code"] for failure in verdict["failures"]}


@pytest.mark.parametrize("tampering", ["newer version", "delete marker"])
@pytest.mark.parametrize("path", ["tile/0/000.p/5", "tile/entries/000.p/5", "checkpoint", numbered(5)])
def test_what_lies_over_a_file_changes_nothing(five: Five, path: str, tampering: str) -> None:
    org, log, chain = five
    proof = org.post(_PROVE, {"audit_id": chain[1].audit_id}).json()
    before = org.verify()
    if tampering == "delete marker":
        log.admin.hide(log.s3_key(path))
    else:
        original = log.read(path)
        log.admin.overlay(log.s3_key(path), original if path == "checkpoint" else original.replace(b"5", b"6")[::-1])
    assert {**org.verify(), "verification_time_ms": 0} == {**before, "verification_time_ms": 0}
    assert org.verify(start_seq=3)["valid"] is True
    after = org.post(_PROVE, {"audit_id": chain[1].audit_id}).json()
    assert after == {**proof, "ledger": after["ledger"]}, "the ledger's own log may have gone on meanwhile"
    Forge(log.admin, org.org_id).extended(chain, 2)
    assert log.anchor()["failed"] == {}
    assert log.sizes() == [5, 7]
    assert org.verify()["checkpoint"]["tree_size"] == 7


def _forged(log: MerkleLog, size: int, root: bytes) -> bytes:
    """What somebody writes who may write to the bucket and may not sign."""
    signature = log.read(numbered(5)).decode().rpartition("\n\n")[2]
    return f"{log.origin}\n{size}\n{base64.b64encode(root).decode()}\n\n{signature}".encode()


def test_a_forged_checkpoint_of_a_size_to_come_is_a_bad_signature(five: Five) -> None:
    org, log, chain = five
    chain = Forge(log.admin, org.org_id).extended(chain, 3)
    log.admin.overlay(log.s3_key(numbered(8)), _forged(log, 8, bytes(32)))
    verdict = org.verify()
    assert (verdict["valid"], _codes(verdict)) == (False, {"BAD_SIGNATURE"})
    assert [failure["sequence"] for failure in verdict["failures"]] == [8]
    assert verdict["checkpoint"]["tree_size"] == 5
    assert log.anchor()["failed"] == {}, "it is gone around"
    assert log.state() == {"tree_size": 7, "published": 7, "cleared": 7}
    Forge(log.admin, org.org_id).extended(chain, 4)
    assert log.anchor()["failed"] == {}
    assert log.state() == {"tree_size": 12, "published": 12, "cleared": 12}
    verdict = org.verify()
    assert [(failure["code"], failure["sequence"]) for failure in verdict["failures"]] == [("BAD_SIGNATURE", 8)]
    assert verdict["checkpoint"]["tree_size"] == 12
    assert org.post(_PROVE, {"audit_id": chain[0].audit_id}).status_code == 200


def test_a_signed_checkpoint_of_another_tree_is_a_mismatch(five: Five) -> None:
    """Whoever may sign can sign anything; the records tell."""
    org, log, chain = five
    Forge(log.admin, org.org_id).extended(chain, 3)
    log.admin.overlay(log.s3_key(numbered(7)), log.sign(7, bytes(32)))
    verdict = org.verify()
    assert (verdict["valid"], _codes(verdict)) == (False, {"CHECKPOINT_MISMATCH"})
    (failure,) = verdict["failures"]
    assert (failure["sequence"], failure["expected"]) == (7, "00" * 32)
    assert verdict["checkpoint"]["tree_size"] == 5


def test_another_organisation_s_checkpoint_is_a_mismatch(five: Five) -> None:
    org, log, chain = five
    Forge(log.admin, org.org_id).extended(chain, 3)
    note = log.sign(6, bytes(32), origin=f"{log.origin}x")
    log.admin.overlay(log.s3_key(numbered(6)), note)
    assert _codes(org.verify()) == {"CHECKPOINT_MISMATCH"}


@pytest.mark.parametrize(
    ("forged", "code"),
    [
        ("larger", "BAD_SIGNATURE"),
        ("same size, another root", "BAD_SIGNATURE"),
        ("nonsense", "CHECKPOINT_MISMATCH"),
        ("empty", "CHECKPOINT_MISMATCH"),
        ("another log's", "CHECKPOINT_MISMATCH"),
        ("signed, another root", "CHECKPOINT_MISMATCH"),
        ("signed, larger, not published", "CHECKPOINT_MISMATCH"),
    ],
)
def test_a_forged_latest_checkpoint_is_named_and_believed_by_nobody(five: Five, forged: str, code: str) -> None:
    org, log, chain = five
    root = log.checkpoint(5)
    data = {
        "larger": lambda: _forged(log, 500, bytes(32)),
        "same size, another root": lambda: _forged(log, 5, bytes(32)),
        "nonsense": lambda: b"5\n",
        "empty": lambda: b"",
        "another log's": lambda: log.sign(5, root, origin=f"{log.origin}x"),
        "signed, another root": lambda: log.sign(5, bytes(32)),
        "signed, larger, not published": lambda: log.sign(6, bytes(32)),
    }[forged]()
    log.admin.overlay(log.s3_key("checkpoint"), data)
    verdict = org.verify()
    assert (verdict["valid"], _codes(verdict)) == (False, {code})
    if forged == "signed, another root":
        assert verdict["checkpoint"] is None, "two signed roots for one size: neither stands"
    else:
        assert verdict["checkpoint"]["root_hash"] == root.hex(), "what the numbered one says stands"
    assert org.post(_PROVE, {"audit_id": chain[0].audit_id}).json()["block_height"] == 5
    Forge(log.admin, org.org_id).extended(chain, 2)
    assert log.anchor()["failed"] == {}
    assert log.sizes() == [5, 7]


def test_an_older_latest_checkpoint_hides_nothing(five: Five) -> None:
    org, log, chain = five
    old = log.read("checkpoint")
    Forge(log.admin, org.org_id).extended(chain, 2)
    log.anchor()
    log.admin.overlay(log.s3_key("checkpoint"), old)
    verdict = org.verify()
    assert (verdict["valid"], verdict["checkpoint"]["tree_size"]) == (True, 7)


# -- an end that was cut off -----------------------------------------------------------------------------


@pytest.fixture
def cut(org: Tenant) -> Five:
    """Seven records under a checkpoint, the last three then really deleted: their lock was the kind that allows it.

    And the table is made to say that there were never more than four.
    """
    forge = Forge(Admin.of(org.ledger), org.org_id, retention=Retention(lock_mode="GOVERNANCE", days=1))
    chain = forge.written(7)
    log = MerkleLog.of(org)
    assert log.anchor()["records"] == 7
    for one in chain[4:]:
        for version in log.admin.versions(one.s3_key):
            which = {"Bucket": log.admin.bucket, "Key": one.s3_key, "VersionId": version["VersionId"]}
            log.admin.s3.delete_object(**which, BypassGovernanceRetention=True)
    log.admin.set_head(org.org_id, chain[3].head)
    return org, log, chain


def test_an_end_that_was_cut_off_is_missed_by_the_checkpoint(cut: Five) -> None:
    org, log, _ = cut
    for asked in ({}, {"start_seq": 2}):
        verdict = org.verify(**asked)
        assert verdict["valid"] is False
        found = [(one["code"], one["sequence"], one.get("through")) for one in verdict["failures"]]
        assert found == [("TRUNCATED", 5, 7)]
        assert "checkpoint of size 7" in verdict["failures"][0]["detail"]
    # Whoever records on builds another fifth record, which the signed root does not have.
    assert org.record()["sequence"] == 5
    assert "CHECKPOINT_MISMATCH" in _codes(org.verify())
    assert org.org_id in log.anchor()["failed"], "a table behind its log is not anchored"
