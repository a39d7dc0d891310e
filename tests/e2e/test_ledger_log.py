# SPDX-License-Identifier: Apache-2.0
"""The ledger's own log, read by a stranger: from a record up to the one checkpoint over all organisations."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from botocore.exceptions import ClientError

from indelible.domain.proof import parse_tlog_proof, verify_tlog_proof
from local.env import Outputs
from tests.e2e.helpers import rfc9162
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.merkle_log import MerkleLog, numbered
from tests.e2e.helpers.tenant import Tenant, events, fresh

PROVE, CONSISTENCY = "/v1/prove", "/v1/consistency"
LEDGER = "_ledger"


class LedgerLog(MerkleLog):
    """The same files, under the ledger's own name."""

    @property
    def origin(self) -> str:
        return self.admin.ledger.ledger_name


@pytest.fixture(scope="module")
def log(ledger: Outputs) -> LedgerLog:
    return LedgerLog(Admin.of(ledger), LEDGER)


@pytest.fixture(scope="module")
def proven(ledger: Outputs, log: LedgerLog) -> list[tuple[Tenant, dict[str, Any], dict[str, Any]]]:
    """Two organisations with two checkpoints each: organisation, receipt, and the answer of prove."""
    found = []
    organisations = [fresh(ledger, "ledger-a"), fresh(ledger, "ledger-b")]
    for _ in range(2):
        receipts = [(org, org.record_batch(events(3))[-1]) for org in organisations]
        log.admin.anchor(*(org.org_id for org in organisations))
        log.admin.ledger_log()
        for org, receipt in receipts:
            proof: dict[str, Any] = org.post(PROVE, {"audit_id": receipt["audit_id"]}).json()
            assert proof["ledger"] is not None
            found.append((org, receipt, proof))
    return found


def test_the_way_up_stands_alone(log: LedgerLog, proven: list[tuple[Tenant, dict[str, Any], dict[str, Any]]]) -> None:
    for org, receipt, proof in proven:
        inclusion, ledger = proof["inclusion"], proof["ledger"]
        own = MerkleLog.of(org)
        rfc9162.check_proof(inclusion["tlog_proof"], bytes.fromhex(receipt["tx_hash"]), own.origin, log.key)
        checkpoint = inclusion["tlog_proof"].split("\n\n", 1)[1].encode()
        assert checkpoint == own.read(numbered(proof["block_height"]))
        leaf = hashlib.sha256(checkpoint).digest()
        assert leaf.hex() == ledger["leaf"]
        index, size = rfc9162.check_proof(ledger["tlog_proof"], leaf, log.origin, log.key)
        assert (index, size) == (ledger["leaf_index"], ledger["checkpoint"]["tree_size"])
        assert ledger["checkpoint"]["root_hash"] == log.checkpoint(size).hex()
        assert ledger["checkpoint_note"].encode() == log.read(numbered(size))
        assert own.read(f"ledger/{proof['block_height']:012d}.tlog-proof") == ledger["tlog_proof"].encode()
        assert (ledger["witnesses"], ledger["witnessed"], ledger["timestamps"]) == ([], None, [])
        for wrong in (bytes(32), hashlib.sha256(checkpoint[:-1]).digest()):
            with pytest.raises(ValueError, match="root"):
                rfc9162.check_proof(ledger["tlog_proof"], wrong, log.origin, log.key)
        # And by the ledger's own code.
        verify_tlog_proof(parse_tlog_proof(ledger["tlog_proof"]), leaf, origin=log.origin, public_keys=[log.key])


def test_its_roots_are_those_of_its_leaves_and_its_files_are_where_they_belong(
    log: LedgerLog, proven: list[tuple[Tenant, dict[str, Any], dict[str, Any]]]
) -> None:
    size = max(log.sizes())
    leaves = [
        hashlib.sha256(b"\x00" + data[start + 2 : start + 34]).digest()
        for place in range(-(-size // 256))
        for data in [log.read(rfc9162.tile("entries", place, min(256, size - 256 * place)))]
        for start in range(0, len(data), 34)
    ]
    for one in log.sizes():
        assert log.checkpoint(one) == rfc9162.mth(leaves[:one])
        assert rfc9162.paths(one) <= log.files()
    assert all(hashlib.sha256(b"\x00" + bytes.fromhex(p["ledger"]["leaf"])).digest() in leaves for _, _, p in proven)


def test_nothing_in_it_names_an_organisation_and_nothing_in_it_can_be_deleted(
    log: LedgerLog, proven: list[tuple[Tenant, dict[str, Any], dict[str, Any]]]
) -> None:
    names = [org.org_id.encode() for org, _, _ in proven]
    for path in log.files():
        data = log.read(path)
        assert not any(name in data for name in names), path
    which = {"Bucket": log.admin.bucket, "Key": log.s3_key(numbered(max(log.sizes())))}
    version = log.versions(numbered(max(log.sizes())))[0]["VersionId"]
    assert log.admin.s3.get_object_retention(**which, VersionId=version)["Retention"]["Mode"] == "COMPLIANCE"
    with pytest.raises(ClientError, match="AccessDenied"):
        log.admin.s3.delete_object(**which, VersionId=version)


@pytest.mark.parametrize("which", ["organisation", "ledger"])
def test_between_two_checkpoints_there_is_a_proof(
    which: str, log: LedgerLog, proven: list[tuple[Tenant, dict[str, Any], dict[str, Any]]]
) -> None:
    org = proven[0][0]
    read = log if which == "ledger" else MerkleLog.of(org)
    sizes = read.sizes()[-4:]
    assert len(sizes) > 1
    for old, new in combinations(sizes, 2):
        answer = org.post(CONSISTENCY, {"log": which, "old_size": old, "new_size": new})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        roots = []
        for size, side in ((old, found["old"]), (new, found["new"])):
            assert side["note"].encode() == read.read(numbered(size))
            signed, root = rfc9162.opened(side["note"].encode(), read.origin, log.key)
            assert (signed, root.hex()) == (size, side["checkpoint"]["root_hash"])
            roots.append(root)
        hashes = [base64.b64decode(one) for one in found["hashes"]]
        rfc9162.check_consistency(old, new, roots[0], roots[1], hashes)
        with pytest.raises(ValueError, match="not consistent"):
            rfc9162.check_consistency(old, new, roots[1], roots[0], hashes)


def test_sizes_that_were_never_published_and_logs_of_others_are_not_found(
    proven: list[tuple[Tenant, dict[str, Any], dict[str, Any]]],
) -> None:
    org = proven[0][0]
    size = proven[0][2]["block_height"]
    refused = {}
    for old, new in ((size, size + 10_000), (1, size), (size, size - 1)):
        error = org.post(CONSISTENCY, {"old_size": old, "new_size": new}).json()["error"]
        refused[old, new] = (error["code"], error["field"])
    assert refused == {
        (size, size + 10_000): ("NOT_FOUND", "new_size"),
        (1, size): ("NOT_FOUND", "old_size"),
        (size, size - 1): ("INVALID_FIELD", "old_size"),
    }
    answer = org.post(CONSISTENCY, {"log": "globex", "old_size": size, "new_size": size})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "log")
    stranger = fresh(org.ledger, f"nothing-{secrets.token_hex(2)}")
    error = stranger.post(CONSISTENCY, {"old_size": size, "new_size": size}).json()["error"]
    assert (error["code"], error["field"]) == ("NOT_FOUND", "old_size")


def test_a_pending_proof_says_when_the_next_run_is_due(ledger: Outputs, log: LedgerLog) -> None:
    admin = log.admin
    admin.round(run="news")
    org = fresh(ledger, "waiting")
    receipt = org.record()
    proof = org.post(PROVE, {"audit_id": receipt["audit_id"]}).json()
    assert proof["anchoring"] == "pending"
    due = datetime.fromisoformat(proof["next_anchor_at"])
    begun = datetime.fromisoformat(receipt["timestamp"])
    assert timedelta(0) < due - begun <= timedelta(minutes=1, seconds=5)
