# SPDX-License-Identifier: Apache-2.0
"""How often the ledger asks AWS, counted from the product's own wiring against the emulator (architecture §4).

The functions' processes cannot be looked into, so the same objects are built here as they build them
(`entry.bootstrap`), and botocore says what is sent.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from indelible.entry.operations import Caller
from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.calls import Calls, recorded
from tests.e2e.helpers.forge import Forge
from tests.e2e.helpers.inprocess import wiring
from tests.e2e.helpers.tenant import EVENT, Tenant, events, fresh


@dataclass(frozen=True)
class Environment:
    """What one warm Lambda environment would hold."""

    org: Tenant
    calls: Calls
    bootstrap: Any

    def record(self, **more: Any) -> dict[str, Any]:
        """One event, as the record function hands it on; counted from its beginning."""
        self.calls.clear()
        answer = self.bootstrap.record.record_api().record(self.org.signed({**EVENT, **more}), _caller())
        return {
            "sequence": answer.receipt.sequence,
            "audit_id": answer.receipt.audit_id,
            "tx_hash": answer.receipt.tx_hash,
        }


def _caller() -> Caller:
    return Caller(claimed_org=None, deadline_ms=time.time_ns() // 1_000_000 + 27_000)


@pytest.fixture
def environment(ledger: Outputs) -> Iterator[Environment]:
    org = fresh(ledger, "counted")
    function = (
        Admin.of(ledger).client("lambda").get_function_configuration(FunctionName=Admin.of(ledger).function("record"))
    )
    with recorded() as calls, wiring(ledger, function["Environment"]["Variables"]) as bootstrap:
        yield Environment(org, calls, bootstrap)


def test_a_warm_record_makes_two_round_trips(environment: Environment) -> None:
    environment.record()
    beside = 0
    for _ in range(10):
        receipt = environment.record()
        first, *rest = environment.calls.all()
        assert first.operation == "TransactWriteItems"
        assert Counter(call.operation for call in rest) == {"PutObject": 1, "PutItem": 1}
        assert all(call.began > first.ended for call in rest), "sealing began before the commit was answered"
        put = next(call for call in rest if call.operation == "PutItem")
        assert put.target == f"{environment.org.org_id}#TX#{receipt['tx_hash']}"
        beside += max(call.began for call in rest) < min(call.ended for call in rest)
    # Neither waits for the other's answer. (On a busy machine a thread may start late once; not ten times.)
    assert beside > 0


def test_an_idempotency_key_costs_no_round_trip(environment: Environment) -> None:
    environment.record()
    environment.record(idempotency_key="order-1")
    assert environment.calls.counts() == {"TransactWriteItems": 1, "PutObject": 1, "PutItem": 1}


def test_a_cold_environment_looks_once(environment: Environment) -> None:
    environment.record()
    made = [(call.operation, call.target.partition("#")[0]) for call in environment.calls.all()]
    org_id, bucket = environment.org.org_id, Admin.of(environment.org.ledger).bucket
    before, after = made[:4], made[5:]
    assert [operation for operation, _ in before] == ["GetItem", "GetSecretValue", "GetItem", "ListObjectVersions"]
    assert (before[0][1], before[2][1]) == (org_id, org_id)  # who signs, and the head
    assert before[3][1].startswith(bucket)
    assert made[4][0] == "TransactWriteItems"
    assert Counter(after) == {
        ("PutObject", next(target for operation, target in after if operation == "PutObject")): 1,
        ("PutItem", org_id): 1,
        ("PutItem", "_NEWS"): 1,
    }


def test_a_second_organisation_costs_a_warm_environment_four_calls_more(environment: Environment) -> None:
    environment.record()
    other = Environment(fresh(environment.org.ledger, "counted-too"), environment.calls, environment.bootstrap)
    other.record()
    assert other.calls.counts() == {
        "GetItem": 2,
        "ListObjectVersions": 1,
        "TransactWriteItems": 1,
        "PutObject": 1,
        "PutItem": 2,
    }


def test_a_batch_of_a_hundred_takes_two_transactions(environment: Environment) -> None:
    environment.record()
    environment.calls.clear()
    body = environment.org.signed({"events": events(100)})
    answer = environment.bootstrap.record.record_api().record_batch(body, _caller())
    assert len(answer.receipts) == 100
    assert environment.calls.counts() == {"TransactWriteItems": 2, "PutObject": 100, "PutItem": 100}


def test_a_retry_with_the_same_key_writes_nothing(environment: Environment) -> None:
    first = environment.record(idempotency_key="order-1")
    assert environment.record(idempotency_key="order-1") == first
    # Still in the outbox, or already re-read by the anchor; then the object itself.
    expected = {"TransactWriteItems": 1, "GetItem": 1, "ListObjectVersions": 1, "GetObject": 1}
    assert environment.calls.counts() == expected


def test_a_lost_race_costs_one_transaction_more(environment: Environment) -> None:
    environment.record()
    environment.org.record()  # another environment moves the head
    environment.record()
    assert environment.calls.counts() == {"TransactWriteItems": 2, "PutObject": 1, "PutItem": 1}
    # Not alone any more: the head is read, until it turns out to be its own again.
    environment.record()
    assert environment.calls.counts() == {"GetItem": 1, "TransactWriteItems": 1, "PutObject": 1, "PutItem": 1}
    environment.record()
    assert environment.calls.counts() == {"TransactWriteItems": 1, "PutObject": 1, "PutItem": 1}


def test_what_a_proof_takes(environment: Environment) -> None:
    chain = Forge(Admin.of(environment.org.ledger), environment.org.org_id).written(2)
    reader = environment.bootstrap.prove.proof_api()
    reader.prove(environment.org.signed({"audit_id": chain[1].audit_id}), _caller())
    # The record's versions, the record, whether a checkpoint covers it, and when the last round began.
    pending = {"ListObjectVersions": 2, "GetObject": 1, "GetItem": 1}
    _expect_proof(environment, {"audit_id": chain[1].audit_id}, pending)
    Admin.of(environment.org.ledger).anchor(environment.org.org_id)
    reader.prove(environment.org.signed({"audit_id": chain[1].audit_id}), _caller())
    # And then that checkpoint, the first of its versions; the tile with the neighbour's hash, by its name; and whether
    # the ledger's own log has taken the checkpoint up.
    anchored = {"ListObjectVersions": 4, "GetObject": 4}
    _expect_proof(environment, {"audit_id": chain[1].audit_id}, anchored)
    _expect_proof(environment, {"tx_hash": chain[1].tx_hash}, {"GetItem": 1, **anchored})


def _expect_proof(environment: Environment, asked: dict[str, str], expected: dict[str, int]) -> None:
    environment.calls.clear()
    environment.bootstrap.prove.proof_api().prove(environment.org.signed(asked), _caller())
    assert environment.calls.counts() == expected


def test_verifying_reads_each_record_once(environment: Environment) -> None:
    chain = Forge(Admin.of(environment.org.ledger), environment.org.org_id).written(40)
    reader = environment.bootstrap.verify.verify_api()
    asked = environment.org.signed({})
    reader.verify(asked, _caller())
    environment.calls.clear()
    assert reader.verify(asked, _caller()).entries_checked == len(chain)
    # Records and their versions; whether there is a latest checkpoint, and which there are.
    assert environment.calls.counts() == {"GetItem": 1, "ListObjectVersions": 3, "GetObject": 40}
    Admin.of(environment.org.ledger).anchor(environment.org.org_id)
    reader.verify(asked, _caller())
    environment.calls.clear()
    verdict = reader.verify(asked, _caller())
    assert (verdict.valid, verdict.entries_checked) == (True, 40)
    # And a handful of the log's files, whatever the number of records: checkpoints, the last bundle, tiles above it.
    counts = environment.calls.counts()
    assert (counts.pop("GetItem"), set(counts)) == (1, {"GetObject", "ListObjectVersions"})
    assert 40 < counts["GetObject"] <= 40 + 6
    assert counts["ListObjectVersions"] <= 2 + 6


def test_a_refused_signature_costs_one_read_at_most(environment: Environment) -> None:
    environment.record()
    for org_id, calls in ((environment.org.org_id, {}), ("nobody-here", {"GetItem": 1}), ("nobody-here", {})):
        environment.calls.clear()
        with pytest.raises(Exception, match="do not belong together"):
            environment.bootstrap.record.record_api().record(
                {**EVENT, "org_id": org_id, "signature": "0" * 64}, _caller()
            )
        assert environment.calls.counts() == calls
