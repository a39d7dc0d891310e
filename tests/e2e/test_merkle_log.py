# SPDX-License-Identifier: Apache-2.0
"""The signed log, read by a stranger: bucket, /v1/keys, and a verifier of their own (architecture §5, G5)."""

from __future__ import annotations

import base64
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError

from benchmarks.counting import RecordFunction
from indelible.domain.record import EMPTY_CHAIN
from local.env import Outputs
from tests.e2e.helpers import rfc9162
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.calls import recorded
from tests.e2e.helpers.forge import Forge
from tests.e2e.helpers.inprocess import wiring
from tests.e2e.helpers.merkle_log import MerkleLog, numbered
from tests.e2e.helpers.tenant import Tenant, events, fresh

_FILE = re.compile(r"checkpoint|checkpoints/[0-9]{12}|tile/(entries|[0-9])/(x[0-9]{3}/)*[0-9]{3}(\.p/[1-9][0-9]{0,2})?")
_PROVE = "/v1/prove"
Receipts = list[dict[str, Any]]


def _anchored(org: Tenant, size: int) -> MerkleLog:
    """The organisation's log, anchored at this size."""
    log = MerkleLog.of(org)
    report = log.anchor()
    assert (report["broken"], report["failed"]) == ({}, {})
    assert (log.state() or {}).get("published") == size
    return log


@pytest.fixture(scope="module")
def thousand(ledger: Outputs) -> tuple[Tenant, MerkleLog, Receipts]:
    """A thousand events, recorded and anchored, and then three hundred more."""
    org = fresh(ledger, "thousand")
    with RecordFunction(ledger):  # without an organisation's share, which would take half a minute
        receipts = [receipt for _ in range(10) for receipt in org.record_batch(events(100))]
        _anchored(org, 1000)
        receipts += [receipt for _ in range(3) for receipt in org.record_batch(events(100))]
    return org, _anchored(org, 1300), receipts


@pytest.fixture
def org(ledger: Outputs) -> Tenant:
    return fresh(ledger, "logged")


@pytest.fixture
def forge(org: Tenant) -> Forge:
    """Leaves no news."""
    return Forge(Admin.of(org.ledger), org.org_id)


# -- what a stranger can check ---------------------------------------------------------------------------


def test_every_checkpoint_is_a_note_that_the_published_key_signed(thousand: tuple[Tenant, MerkleLog, Receipts]) -> None:
    _, log, receipts = thousand
    assert {1000, 1300} <= set(log.sizes())
    for size in log.sizes():
        leaves = [rfc9162.sha256(b"\x00", bytes.fromhex(one["tx_hash"])) for one in receipts[:size]]
        assert log.checkpoint(size) == rfc9162.mth(leaves), "the root of the receipts themselves"
    assert log.read("checkpoint") == log.read(numbered(1300))
    lines = log.read("checkpoint").decode().splitlines()
    assert lines[:2] == [log.origin, "1300"]
    assert (len(base64.b64decode(lines[2])), lines[3], len(lines)) == (32, "", 5)
    assert lines[4].startswith(f"\u2014 {log.origin} ")


def test_another_log_s_name_or_key_does_not_open_it(thousand: tuple[Tenant, MerkleLog, Receipts]) -> None:
    _, log, _ = thousand
    note = log.read("checkpoint")
    for name, key in (("indelible", log.key), (f"{log.origin}x", log.key), (log.origin, bytes(32))):
        with pytest.raises(ValueError, match="not signed by this key"):
            rfc9162.opened(note, name, key)


@pytest.mark.parametrize("sequence", [1, 2, 256, 257, 999, 1000, 1001, 1300])
def test_a_record_s_proof_stands_alone(thousand: tuple[Tenant, MerkleLog, Receipts], sequence: int) -> None:
    org, log, receipts = thousand
    receipt = receipts[sequence - 1]
    proof = org.post(_PROVE, {"audit_id": receipt["audit_id"]}).json()
    size = next(size for size in log.sizes() if size >= sequence)
    assert (proof["anchoring"], proof["block_height"]) == ("anchored", size)
    inclusion = proof["inclusion"]
    assert inclusion["checkpoint"] == {
        "origin": log.origin,
        "tree_size": size,
        "root_hash": log.checkpoint(size).hex(),
    }
    leaf = bytes.fromhex(receipt["tx_hash"])
    found = rfc9162.check_proof(inclusion["tlog_proof"], leaf, log.origin, log.key)
    assert found == (sequence - 1, size) == (inclusion["leaf_index"], size)
    for name, wrong in ((log.origin, bytes(32)), ("indelible/another", leaf)):
        with pytest.raises(ValueError, match=r"root|key"):
            rfc9162.check_proof(inclusion["tlog_proof"], wrong, name, log.key)


def test_later_checkpoints_go_on_from_earlier_ones(thousand: tuple[Tenant, MerkleLog, Receipts]) -> None:
    _, log, _ = thousand
    sizes = log.sizes()
    for old, new in [*pairwise(sizes), (1000, 1300)]:
        hashes = rfc9162.leaf_hashes(new, log.read)
        old_root, new_root = log.checkpoint(old), log.checkpoint(new)
        proof = rfc9162.proof(old, hashes)
        rfc9162.check_consistency(old, new, old_root, new_root, proof)
        with pytest.raises(ValueError, match="not consistent"):
            rfc9162.check_consistency(old, new, new_root, new_root, proof)
        with pytest.raises(ValueError, match="not consistent"):
            rfc9162.check_consistency(old, new, old_root, new_root, [bytes(32), *proof[1:]])


def test_files_lie_where_tlog_tiles_says(thousand: tuple[Tenant, MerkleLog, Receipts]) -> None:
    _, log, receipts = thousand
    there = log.files()
    assert [path for path in there if not _FILE.fullmatch(path)] == []
    for size in log.sizes():
        assert rfc9162.paths(size) <= there
    leaves = [bytes.fromhex(one["tx_hash"]) for one in receipts]
    assert log.read("tile/entries/000") == b"".join(b"\x00\x20" + leaf for leaf in leaves[:256])
    assert log.read("tile/entries/005.p/20") == b"".join(b"\x00\x20" + leaf for leaf in leaves[1280:])
    hashes = rfc9162.leaf_hashes(1300, log.read)
    assert log.read("tile/1/000.p/5") == b"".join(rfc9162.mth(hashes[256 * n : 256 * n + 256]) for n in range(5))


def test_every_file_of_the_log_is_locked_like_a_record(thousand: tuple[Tenant, MerkleLog, Receipts]) -> None:
    _, log, receipts = thousand
    versions = log.versions()
    seen: dict[str, int] = {}
    for one in versions:
        which = {"Bucket": log.admin.bucket, "Key": one["Key"], "VersionId": one["VersionId"]}
        lock = log.admin.s3.get_object_retention(**which)["Retention"]
        assert lock["Mode"] == receipts[0]["s3_lock_mode"] == "COMPLIANCE"
        assert lock["RetainUntilDate"].isoformat() >= max(one["retention_until"] for one in receipts)[:19]
        seen[one["Key"]] = seen.get(one["Key"], 0) + 1
        if len(seen) == 1:
            with pytest.raises(ClientError, match="AccessDenied"):
                log.admin.s3.delete_object(**which)
    assert {key for key, count in seen.items() if count > 1} == {log.s3_key("checkpoint")}


def test_the_chain_is_held_against_every_signed_root(thousand: tuple[Tenant, MerkleLog, Receipts]) -> None:
    org, log, _ = thousand
    expected = {"origin": log.origin, "tree_size": 1300, "root_hash": log.checkpoint(1300).hex()}
    for asked in ({}, {"start_seq": 700}, {"start_seq": 1300}, {"start_seq": 1200, "end_seq": 1250}):
        verdict = org.verify(**asked)
        assert (verdict["valid"], verdict["checkpoint"]) == (True, expected), asked


# -- before, after, and how much -------------------------------------------------------------------------


def test_a_record_is_pending_until_a_checkpoint_covers_it(org: Tenant, forge: Forge) -> None:
    chain = forge.written(3)
    log = MerkleLog.of(org)
    asked = {"audit_id": chain[2].audit_id}
    before = org.post(_PROVE, asked).json()
    assert (before["anchoring"], before["block_height"], before["inclusion"]) == ("pending", None, None)
    assert (org.verify()["checkpoint"], log.files(), log.state()) == (None, set(), None)
    assert log.anchor()["records"] == 3
    after = org.post(_PROVE, asked).json()
    assert (after["anchoring"], after["block_height"]) == ("anchored", 3)
    pending = {"anchoring": "pending", "block_height": None, "inclusion": None, "ledger": None}
    assert {**after, **pending, "next_anchor_at": before["next_anchor_at"]} == before
    assert org.verify()["checkpoint"]["tree_size"] == 3
    chain = forge.extended(chain, 2)
    assert org.post(_PROVE, {"audit_id": chain[4].audit_id}).json()["anchoring"] == "pending"
    again = org.post(_PROVE, asked).json()
    assert {**again, "ledger": after["ledger"]} == after, "the first checkpoint that covers it stays the first"
    verdict = org.verify()
    assert (verdict["valid"], verdict["entries_checked"], verdict["checkpoint"]["tree_size"]) == (True, 5, 3)


def test_a_long_chain_gets_a_checkpoint_for_every_thousand(org: Tenant, forge: Forge) -> None:
    chain = forge.build(1024)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(forge.records.seal, chain))
    for start in range(0, 1024, 64):
        part = chain[start : start + 64]
        forge.commit(part, chain[start - 1].head if start else EMPTY_CHAIN)
    log = MerkleLog.of(org)
    assert log.anchor()["records"] == 1024
    assert log.sizes() == [1000, 1024]
    assert log.files() == {"checkpoint", *map(numbered, log.sizes()), *rfc9162.paths(1000), *rfc9162.paths(1024)}
    assert log.state() == {"tree_size": 1024, "published": 1024, "cleared": 1024}
    assert org.verify()["checkpoint"]["tree_size"] == 1024


def test_one_more_record_costs_the_right_edge_and_no_more(org: Tenant, forge: Forge) -> None:
    log = MerkleLog.of(org)
    chain = forge.written(1)
    function = log.admin.client("lambda").get_function_configuration(FunctionName=log.admin.function("anchor"))
    with recorded() as calls, wiring(org.ledger, function["Environment"]["Variables"]) as bootstrap:
        rounds = bootstrap.anchor.rounds()
        rounds.anchor([org.org_id], budget_ms=60_000)  # which also looks the signing key's statement up, once
        chain, made = forge.extended(chain, 60), []
        calls.clear()
        for _ in range(3):
            report = rounds.anchor([org.org_id], budget_ms=60_000)
            assert (report.failed, [one.broken for one in report.reports]) == ({}, [()])
            made.append(calls.counts())
            calls.clear()
            chain = forge.extended(chain, 1)
            calls.clear()
        asked = [call.target for call in calls.all()]
    first, second, third = made
    assert asked == []
    assert first["GetObject"] == 60 + 3, "each record, and as below"
    # One record: read, and with it bundle, checkpoint of the size before, and latest checkpoint.
    assert second == third
    assert (second["GetObject"], second["PutObject"], second["Sign"]) == (4, 4, 1)
    assert first.total() - first["GetObject"] <= second.total() + 5, "sixty records cost reading them, little else"


# -- more than one at a time -----------------------------------------------------------------------------


def test_runs_at_the_same_time_sign_one_root_for_a_size(org: Tenant, forge: Forge) -> None:
    log = MerkleLog.of(org)
    chain = forge.written(20)
    for _ in range(3):
        with ThreadPoolExecutor(4) as pool:
            reports = [*pool.map(lambda _: log.anchor(), range(4))]
        assert [(report["broken"], report["failed"]) for report in reports] == [({}, {})] * 4
        chain = forge.extended(chain, 7)
    assert log.sizes() == [20, 27, 34]
    assert len(log.versions("checkpoints/")) == 3, "created once, never laid over"
    latest = [
        log.admin.body(one["Key"], one["VersionId"]) for one in log.versions("checkpoint") if one["Key"][-1] == "t"
    ]
    assert latest == [log.read(numbered(size)) for size in (34, 27, 20)], "newest first: only ever forward"
    assert org.verify()["checkpoint"]["tree_size"] == 34


def test_a_broken_chain_is_not_signed_and_another_goes_on(ledger: Outputs) -> None:
    broken, healthy = fresh(ledger, "log-a-broken"), fresh(ledger, "log-b-healthy")
    bad, good = Forge(Admin.of(ledger), broken.org_id), Forge(Admin.of(ledger), healthy.org_id)
    first = bad.written(2)
    assert MerkleLog.of(broken).anchor()["records"] == 2
    other = bad.build(4)[2:]  # these follow a second record that is not this chain's
    bad.commit(other, first[-1].head)
    bad.seal(other)
    good.written(3)
    report = Admin.of(ledger).round(run="sweep")
    assert report["broken"][broken.org_id]["code"] == "BROKEN_LINK"
    assert healthy.org_id not in report["broken"]
    assert (MerkleLog.of(broken).sizes(), MerkleLog.of(healthy).sizes()) == ([2], [3])
    assert MerkleLog.of(broken).files() == {"checkpoint", numbered(2), *rfc9162.paths(2)}, "nothing is even staged"
    assert broken.post(_PROVE, {"audit_id": first[0].audit_id}).json()["anchoring"] == "anchored"
    assert broken.post(_PROVE, {"audit_id": other[0].audit_id}).json()["anchoring"] == "pending"
