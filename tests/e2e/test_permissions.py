# SPDX-License-Identifier: Apache-2.0
"""Each function may do what it does, and does what it may (G7).

The emulator evaluates no permissions, so each handler runs in this process, in the environment that it was deployed
with, and what botocore is about to send is held against the role that it was deployed with; both ways, so that a path
that nobody takes here any more shows as a permission without a use.

What this does not see: a call on a path that is not taken here and needs a permission that the role lacks as well. So
whoever gives an adapter a new operation adds a way to it. Bucket policy and key policies are tested in tests/infra; the
function for external anchoring in test_external_anchors.py, where a provider is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Set
from typing import Any

import msgspec
import pytest

from indelible.aws import s3_exports
from indelible.domain.export_job import FORMS, ExportJob
from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.forge import Forge
from tests.e2e.helpers.function import Function, function
from tests.e2e.helpers.tenant import EVENT, Tenant, events, fresh

#: Statements of keys are read by their names only where there are two keys (test_rotation.py).
SECOND_KEY = {"s3:GetObject", "s3:ListBucket"}
#: A proof's files are read by their names, and are there; that one is not, S3 says only to who may list.
ALL_THERE = {"s3:ListBucket"}
#: Asked only when a seal is refused, which the emulator does not do (tests/unit/aws/test_s3_records.py does).
REFUSED_SEAL = {"s3:GetBucketObjectLockConfiguration"}


@pytest.fixture
def admin(ledger: Outputs) -> Admin:
    return Admin.of(ledger)


@pytest.fixture
def org(ledger: Outputs) -> Tenant:
    return fresh(ledger, "allowed")


@pytest.fixture
def anchored(admin: Admin, org: Tenant) -> list[dict[str, Any]]:
    """Receipts of records under a checkpoint that the ledger's own log has."""
    receipts = org.record_batch(events(5))
    admin.anchor(org.org_id)
    admin.ledger_log()
    return receipts


@pytest.fixture
def run(admin: Admin, org: Tenant, request: pytest.FixtureRequest) -> Iterator[Function]:
    name, _, source = request.param.partition(" from ")
    with function(admin, name, source=source or name) as running:
        yield running


def the_function(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("run", [name], indirect=True)


def expect(run: Function, *, without_use: Set[str] = frozenset()) -> None:
    """The role allows what was needed, and nothing else but `without_use`."""
    assert run.needed, "nothing was noted"
    assert run.refused() == []
    assert run.role.unused(run.needed) == without_use


def committed(admin: Admin, org: Tenant) -> None:
    """Two records more in the outbox, neither sealed nor indexed."""
    forge = Forge(admin, org.org_id)
    head = forge.journal.head(org.org_id)
    forge.journal.commit(head, forge.build(2, head), None, time.time_ns() // 1_000_000)


@the_function("record")
def test_record(run: Function, org: Tenant, admin: Admin) -> None:
    once, all_at_once = {**EVENT, "idempotency_key": "one"}, {"events": events(5), "idempotency_key": "five"}
    for _ in range(2):  # the second time it looks for what it did the first time
        run.request("POST /v1/record", org.signed(once))
        run.request("POST /v1/record/batch", org.signed(all_at_once))
    org.record()  # another environment was faster
    run.request("POST /v1/record", org.signed(EVENT))
    # It has the permissions of whoever reads records, and reads no keys.
    expect(run, without_use=SECOND_KEY | REFUSED_SEAL)


@the_function("prove")
def test_prove(run: Function, org: Tenant, anchored: list[dict[str, Any]]) -> None:
    for asked in ({"audit_id": anchored[1]["audit_id"]}, {"tx_hash": anchored[2]["tx_hash"]}):
        assert run.request("POST /v1/prove", org.signed(asked))["anchoring"] == "anchored"
    pending = org.record()
    run.request("POST /v1/prove", org.signed({"audit_id": pending["audit_id"]}))
    run.request("POST /v1/consistency", org.signed({"old_size": 5, "new_size": 5}))
    expect(run, without_use=ALL_THERE)


@the_function("verify")
def test_verify(run: Function, org: Tenant, anchored: list[dict[str, Any]], admin: Admin) -> None:
    committed(admin, org)
    run.request("POST /v1/verify", org.signed({}))
    expect(run, without_use=SECOND_KEY)


@the_function("mcp")
def test_mcp(run: Function, org: Tenant, anchored: list[dict[str, Any]], admin: Admin) -> None:
    def call(name: str, **arguments: Any) -> dict[str, Any]:
        params = {"name": name, "arguments": org.signed(arguments)}
        answer = run.request("POST /mcp", {"jsonrpc": "2.0", "method": "tools/call", "id": 1, "params": params})
        assert answer["result"]["isError"] is False, answer
        found: dict[str, Any] = answer["result"]["structuredContent"]
        return found

    for _ in range(2):
        call("record_audit_event", **EVENT, idempotency_key="one")
    call("get_audit_proof", audit_id=anchored[1]["audit_id"])
    call("get_audit_proof", tx_hash=anchored[2]["tx_hash"])
    committed(admin, org)
    call("verify_chain")
    expect(run, without_use=ALL_THERE | REFUSED_SEAL)


@the_function("export")
def test_export(run: Function, org: Tenant, anchored: list[dict[str, Any]]) -> None:
    answer = run.request("POST /v1/export", org.signed({}))
    while answer["status"] == "pending":
        answer = run.request("POST /v1/export", org.signed({"export_id": answer["export_id"]}))
    assert answer["records"] == len(anchored)
    assert answer["url"]
    # On the evidence bucket; on its own it is told that there is no such export yet. And an act's key is never taken.
    expect(run, without_use={"s3:ListBucket", "s3:GetObjectRetention", "s3:GetObjectVersion"} | REFUSED_SEAL)


@the_function("exportsPack from pack")
@pytest.mark.parametrize("part", [s3_exports._PART, 1 << 15], ids=["whole", "in parts"])
def test_pack(
    run: Function, org: Tenant, anchored: list[dict[str, Any]], part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_exports, "_PART", part)
    for form in FORMS:
        job = ExportJob(org_id=org.org_id, first=1, last=len(anchored), covered_by=len(anchored), format=form)
        assert run(msgspec.to_builtins(job))["status"] == "ready"
    # A part that fails ends the upload.
    expect(run, without_use=SECOND_KEY | {"s3:AbortMultipartUpload"})


@the_function("meta")
def test_meta(run: Function, org: Tenant, anchored: list[dict[str, Any]]) -> None:
    for route in ("GET /health", "GET /v1/keys", "GET /openapi.json"):
        run.request(route)
    # Something has to lie over a statement for its oldest version to be looked for.
    expect(run, without_use={"s3:GetObjectVersion", "s3:ListBucketVersions"})


@the_function("plan")
def test_plan(run: Function, org: Tenant) -> None:
    org.record()
    assert any(org.org_id in batch for batch in run({"run": "news"})["batches"])
    run({"run": "sweep"})
    run({"run": "org", "org_id": org.org_id})
    expect(run)


@the_function("anchor")
def test_anchor(run: Function, org: Tenant, admin: Admin) -> None:
    org.record_batch(events(3))
    committed(admin, org)
    run({"organisations": [org.org_id]})
    run({"log": "ledger"})
    expect(run, without_use=REFUSED_SEAL)
