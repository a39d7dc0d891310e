# SPDX-License-Identifier: Apache-2.0
"""Exports through the deployed API: fetched by anybody who has the address, found by their owner alone, locked."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from benchmarks.counting import RecordFunction
from indelible.cli.main import cli
from indelible.domain.bundle import Manifest
from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.merkle_log import MerkleLog
from tests.e2e.helpers.tenant import Tenant, events, fresh
from tests.fakes.unpacked import Unpacked

EXPORT = "/v1/export"
LONG = 11 * 91


@pytest.fixture(scope="module")
def tenants(ledger: Outputs) -> tuple[Tenant, Tenant]:
    return fresh(ledger, "exports"), fresh(ledger, "exports-other")


def fetched(answer: dict[str, Any]) -> bytes:
    response = httpx.get(answer["url"], timeout=30)
    assert response.status_code == 200, response.text[:300]
    assert hashlib.sha256(response.content).hexdigest() == answer["sha256"]
    assert len(response.content) == answer["bytes"]
    return response.content


def until(ready: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Ask until there is an answer; every address costs a good part of the organisation's share."""
    for _ in range(120):
        answer = ready()
        limited = answer.get("error", {}).get("code") == "TOO_MANY_REQUESTS"
        if not limited and answer.get("status") != "pending":
            return answer
        time.sleep(0.5)
    raise AssertionError("still pending after a minute")


def test_a_bundle_of_what_was_recorded(tenants: tuple[Tenant, Tenant]) -> None:
    org, other = tenants
    receipts = org.record_batch(events(20))
    log = MerkleLog.of(org)
    log.anchor()
    assert (log.state() or {}).get("published") == 20
    answer = org.post(EXPORT, {}).json()
    answer = until(lambda: org.post(EXPORT, {"export_id": answer["export_id"]}).json())
    assert (answer["status"], answer["records"], answer["valid"]) == ("ready", 20, True)
    found = Unpacked.of(fetched(answer))
    assert found.receipts == receipts
    manifest = Manifest.parse(found.files["manifest.json"])
    assert manifest.checkpoint is not None
    assert (manifest.checkpoint.size, manifest.exported.valid) == (20, True)

    admin = Admin.of(org.ledger)
    acts = [json.loads(admin.body(key))["event"] for key in admin.keys("_admin")]
    mine = [act for act in acts if act["target"] == org.org_id and act["action"].startswith("export.")]
    assert [act["action"] for act in mine[:2]] == ["export.begin", "export.download"]
    assert (mine[1]["actor"], mine[1]["payload"]["sha256"]) == (f"{org.org_id}/k1", answer["sha256"])

    again = until(lambda: org.post(EXPORT, {"start_seq": 1, "end_seq": 20}).json())
    assert (again["export_id"], again["sha256"]) == (answer["export_id"], answer["sha256"])
    theirs = other.post(EXPORT, {"export_id": answer["export_id"]})
    nobody_s = other.post(EXPORT, {"export_id": "0" * 32})
    assert (theirs.status_code, theirs.json()) == (nobody_s.status_code, nobody_s.json())
    assert theirs.status_code == 404


def test_the_command_line_packs_the_same_bytes(
    tenants: tuple[Tenant, Tenant], ledger: Outputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    org, _ = tenants
    for name, value in ledger.environment().items():
        monkeypatch.setenv(name, value)
    answer = until(lambda: org.post(EXPORT, {"start_seq": 3, "end_seq": 17}).json())
    key = httpx.get(f"{ledger.api_url}/v1/keys").json()["keys"][0]["verifier_key"]
    out = tmp_path / "evidence.zip"
    words = ["export", f"s3://{ledger.bucket}/{org.org_id}", "--key", key, "--start", "3", "--end", "17"]
    done = CliRunner().invoke(cli, [*words, "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert done.stdout.split()[0] == hashlib.sha256(out.read_bytes()).hexdigest()
    ours, theirs = Unpacked.of(out.read_bytes()).files, Unpacked.of(fetched(answer)).files
    assert {name for name in ours | theirs if ours.get(name) != theirs.get(name)} == set()
    assert done.stdout.split()[0] == answer["sha256"]
    view = until(lambda: org.post(EXPORT, {"start_seq": 3, "end_seq": 17, "format": "csv"}).json())
    assert hashlib.sha256(httpx.get(view["proved_by"]["url"]).content).hexdigest() == answer["sha256"]
    headers = httpx.get(view["url"]).headers
    assert headers["content-type"] == "text/csv; charset=utf-8"
    assert headers["content-disposition"] == f'attachment; filename="{org.org_id}-3-17.csv"'
    table = tmp_path / "records.csv"
    assert CliRunner().invoke(cli, [*words, "--format", "csv", "-o", str(table)]).exit_code == 0
    assert table.read_bytes() == fetched(view)
    for word in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(word, raising=False)
    checked = CliRunner().invoke(cli, ["verify", str(out), "--key", key, "--json"])
    assert checked.exit_code == 0, checked.output
    assert json.loads(checked.stdout)["valid"] is True


def test_it_cannot_be_deleted_while_it_is_kept(tenants: tuple[Tenant, Tenant], ledger: Outputs) -> None:
    org, _ = tenants
    answer = until(lambda: org.post(EXPORT, {"start_seq": 2, "end_seq": 5, "format": "pdf"}).json())
    assert fetched(answer).startswith(b"%PDF-")
    s3 = Admin.of(ledger).client("s3")
    (bucket,) = [
        one["Name"]
        for one in s3.list_buckets()["Buckets"]
        if one["Name"].startswith(f"{ledger.ledger_name}-") and "export" in one["Name"]
    ]
    untils = []
    for name in (f"{answer['sha256']}.pdf", f"{answer['proved_by']['sha256']}.zip"):
        key = f"{org.org_id}/{answer['export_id']}/{name}"
        (version,) = s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
        lock = s3.get_object_retention(Bucket=bucket, Key=key, VersionId=version["VersionId"])["Retention"]
        assert lock["Mode"] == "COMPLIANCE"
        untils.append(lock["RetainUntilDate"].isoformat()[:19])
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
    assert min(untils) == answer["kept_until"][:19]


def test_a_long_range_is_packed_meanwhile(tenants: tuple[Tenant, Tenant], ledger: Outputs) -> None:
    _, org = tenants
    with RecordFunction(ledger):  # without an organisation's share
        for _ in range(LONG // 91):
            org.record_batch(events(91, text="x" * 20_000))
    answer = org.post(EXPORT, {"end_seq": LONG}).json()
    assert answer.get("status") == "pending", answer
    assert "url" not in answer or answer["url"] is None
    ready = until(lambda: org.post(EXPORT, {"export_id": answer["export_id"]}).json())
    assert (ready["status"], ready["records"]) == ("ready", LONG)
    assert ready["bytes"] > 16 << 20, "so that it was uploaded in parts"
    found = Unpacked.of(fetched(ready))
    assert found.manifest["checkpoint"] is None or found.manifest["exported"]["valid"]


def test_what_is_not_there_and_what_is_not_asked(tenants: tuple[Tenant, Tenant]) -> None:
    org, _ = tenants
    answer = until(lambda: org.post(EXPORT, {"start_seq": 10_000}).json())
    assert answer["error"]["code"] == "NOT_FOUND"
    assert org.post(EXPORT, {"export_id": "x", "end_seq": 3}).json()["error"]["code"] == "INVALID_FIELD"
