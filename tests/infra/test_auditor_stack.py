# SPDX-License-Identifier: Apache-2.0
"""An outside account reads what it was given, and nothing else."""

from __future__ import annotations

import fnmatch
import json
from pathlib import Path
from typing import Any

import pytest

from infra.config import ConfigError, LedgerConfig
from tests.infra.conftest import AUDITOR
from tests.infra.synth import Synthesized, as_list

ROOT = Path(__file__).resolve().parents[2]
QUERIES = ROOT / "infra" / "queries"
BUCKET = "<EvidenceBucket.Arn>"
WRITES = (
    "*:Put*",
    "*:Delete*",
    "*:Create*",
    "*:Update*",
    "*:Bypass*",
    "*:Restore*",
    "*:Replicate*",
    "*:Tag*",
    "*:Abort*",
)


def resources(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]


def role(audited: Synthesized, template: dict[str, Any], kind: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    (found,) = [
        one for one in resources(template, "AWS::IAM::Role") if f"-auditor-{kind}-" in json.dumps(one["RoleName"])
    ]
    (policy,) = found["Policies"]
    return found, [audited.render(statement) for statement in policy["PolicyDocument"]["Statement"]]


# -- configuration ---------------------------------------------------------------------------------------


def test_without_an_auditor_there_is_no_stack(prod: Synthesized) -> None:
    assert not any("auditor" in name for name in prod.manifest["artifacts"])


@pytest.mark.parametrize("absent", AUDITOR)
def test_all_three_settings_or_none(absent: str) -> None:
    with pytest.raises(ConfigError, match="is required with") as caught:
        LedgerConfig.from_context({key: value for key, value in AUDITOR.items() if key != absent})
    assert caught.value.key == absent


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("auditor_account", "123"),
        ("auditor_account", 210987654321),
        ("auditor_account", "*"),
        ("auditor_external_id", "short"),
        ("auditor_external_id", "has spaces in it, and is long"),
        ("auditor_organisations", ""),
        ("auditor_organisations", "ACME"),
        ("auditor_organisations", "acme-corp,*"),
        ("auditor_organisations", "acme/x"),
        ("auditor_organisations", [7]),
        ("auditor_organisations", [f"org-{number}" for number in range(51)]),
    ],
)
def test_what_could_open_more_is_refused(key: str, value: object) -> None:
    with pytest.raises(ConfigError):
        LedgerConfig.from_context({**AUDITOR, key: value})


# -- the roles --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["reader", "analyst"])
def test_only_the_named_account_with_the_external_id_becomes_it(
    audited: Synthesized, template: dict[str, Any], kind: str
) -> None:
    found, _ = role(audited, template, kind)
    (trust,) = found["AssumeRolePolicyDocument"]["Statement"]
    assert audited.render(trust["Principal"]) == {"AWS": "arn:<AWS::Partition>:iam::210987654321:root"}
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": "x9f2kq83hs7dm1zp"}}
    assert (trust["Action"], trust["Effect"]) == ("sts:AssumeRole", "Allow")
    assert found["MaxSessionDuration"] == 4 * 3600
    assert "ManagedPolicyArns" not in found


def test_the_reader_reads_the_chosen_prefixes_and_nothing_else(audited: Synthesized, template: dict[str, Any]) -> None:
    _, statements = role(audited, template, "reader")
    assert statements == [
        {
            "Action": ["s3:GetObject", "s3:GetObjectLegalHold", "s3:GetObjectRetention", "s3:GetObjectVersion"],
            "Effect": "Allow",
            "Resource": [f"{BUCKET}/_ledger/_log/*", f"{BUCKET}/acme-corp/*", f"{BUCKET}/globex/*"],
        },
        {
            "Action": ["s3:ListBucket", "s3:ListBucketVersions"],
            "Condition": {"StringLike": {"s3:prefix": ["_ledger/_log/*", "acme-corp/*", "globex/*"]}},
            "Effect": "Allow",
            "Resource": BUCKET,
        },
        {"Action": "s3:GetBucketLocation", "Effect": "Allow", "Resource": BUCKET},
    ]


def test_the_reader_writes_nowhere_and_the_analyst_results_alone(
    audited: Synthesized, template: dict[str, Any]
) -> None:
    for kind in ("reader", "analyst"):
        for statement in role(audited, template, kind)[1]:
            assert statement["Effect"] == "Allow"
            writes = {
                action
                for action in as_list(statement["Action"])
                for like in WRITES
                if fnmatch.fnmatchcase(action, like)
            }
            if writes:
                assert kind == "analyst"
                assert writes == {"s3:PutObject", "s3:AbortMultipartUpload"}
                assert "s3:ListMultipartUploadParts" in as_list(statement["Action"])  # Athena writes in parts
                assert as_list(statement["Resource"]) == ["<QueriesResults.Arn>/*"]


def test_the_analyst_reads_records_and_no_log(audited: Synthesized, template: dict[str, Any]) -> None:
    _, statements = role(audited, template, "analyst")
    evidence = [s for s in statements if "s3:GetObject" in as_list(s["Action"]) and BUCKET in str(s["Resource"])]
    assert [as_list(s["Resource"]) for s in evidence] == [
        [f"{BUCKET}/acme-corp/????/??/??/*", f"{BUCKET}/globex/????/??/??/*"]
    ]
    assert not any("_ledger" in str(statement) for statement in statements)
    athena = [s for s in statements if any(a.startswith("athena:") for a in as_list(s["Action"]))]
    assert all("workgroup/indelible-auditor" in str(statement["Resource"]) for statement in athena)
    assert len(athena) == 1


def test_neither_reaches_table_key_or_secret(audited: Synthesized, template: dict[str, Any]) -> None:
    services = {
        action.partition(":")[0]
        for kind in ("reader", "analyst")
        for statement in role(audited, template, kind)[1]
        for action in as_list(statement["Action"])
    }
    assert services == {"s3", "athena", "glue"}


# -- table and workgroup -----------------------------------------------------------------------------------


def table(template: dict[str, Any]) -> dict[str, Any]:
    (found,) = resources(template, "AWS::Glue::Table")
    return found["TableInput"]


def test_partitions_are_days_of_the_chosen_organisations(audited: Synthesized, template: dict[str, Any]) -> None:
    parameters = audited.render(table(template)["Parameters"])
    assert parameters["projection.enabled"] == "true"
    assert parameters["projection.org.values"] == "acme-corp,globex"
    assert parameters["projection.day.format"] == "yyyy/MM/dd"
    assert parameters["projection.day.range"].endswith(",NOW")
    assert parameters["storage.location.template"].endswith("/${org}/${day}/")
    assert [key["Name"] for key in table(template)["PartitionKeys"]] == ["org", "day"]


def test_the_workgroup_cannot_be_overridden_and_its_results_are_encrypted_and_end(template: dict[str, Any]) -> None:
    (workgroup,) = resources(template, "AWS::Athena::WorkGroup")
    configuration = workgroup["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["ResultConfiguration"]["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}
    assert configuration["BytesScannedCutoffPerQuery"] == 100 * 10**9
    (results,) = resources(template, "AWS::S3::Bucket")
    rules = results["LifecycleConfiguration"]["Rules"]
    assert [rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule] == [30]
    assert all(results["PublicAccessBlockConfiguration"].values())


def test_every_query_is_saved_with_its_own_words(template: dict[str, Any]) -> None:
    saved = {query["Name"]: query for query in resources(template, "AWS::Athena::NamedQuery")}
    files = {path.stem.replace("_", " "): path.read_text() for path in QUERIES.glob("*.sql")}
    assert {name: query["QueryString"] for name, query in saved.items()} == files
    assert all(len(query["Description"]) > 20 for query in saved.values())
