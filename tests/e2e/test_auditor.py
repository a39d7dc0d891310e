# SPDX-License-Identifier: Apache-2.0
"""An auditor's access, deployed where IAM is evaluated: what its two roles can do, and that it is all they can."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from indelible.entry.operations import Caller
from local import emulator
from local.env import REGION, aws_environment
from local.state import ROOT, State
from tests.documents import blocks
from tests.e2e.helpers.audited import (
    ACCOUNT,
    EXTERNAL_ID,
    NAMED,
    OTHER,
    Audited,
    deployed,
    plain_http_allowed,
    refused,
    variables_of,
)
from tests.e2e.helpers.commands import provide
from tests.e2e.helpers.inprocess import wiring
from tests.free_port import free_port
from tests.infra.duckdb_athena import EVENTS, QUERIES, records_table, run

DOCUMENT = ROOT / "docs" / "auditor-access.md"


@pytest.fixture(scope="module")
def audited(ledger_state: Path) -> Iterator[Audited]:
    """In an emulator of its own, which a killed session leaves where the next one stops it."""
    directory = ledger_state.with_name(f"{ledger_state.name}-audited")
    state = State(directory)
    port = emulator.start(state, free_port(), owned=True, iam=True).port
    try:
        yield deployed(state, port)
    finally:
        emulator.stop(state)
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def over_http(audited: Audited) -> Iterator[None]:
    with plain_http_allowed(audited.admin, audited.ledger.bucket):
        yield


# -- becoming somebody -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Reader", "Analyst"])
def test_the_outputs_name_roles_for_four_hours(audited: Audited, kind: str) -> None:
    found = audited.role(kind)
    assert found["Arn"] == audited.stack[f"{kind}RoleArn"]
    assert found["RoleName"] == f"{audited.ledger.ledger_name}-auditor-{kind.lower()}-{REGION}"
    assert found["MaxSessionDuration"] == 4 * 3600


@pytest.mark.parametrize("kind", ["Reader", "Analyst"])
@pytest.mark.parametrize(
    ("account", "external_id"),
    [
        (ACCOUNT, None),
        (ACCOUNT, "another-external-id"),
        (ACCOUNT, EXTERNAL_ID.upper()),
        ("333333333333", EXTERNAL_ID),
        ("test", EXTERNAL_ID),
    ],
)
def test_nobody_else_becomes_it(audited: Audited, kind: str, account: str, external_id: str | None) -> None:
    with pytest.raises(ClientError, match=r"AccessDenied.*not authorized to perform: sts:AssumeRole"):
        audited.assume(kind, account=account, external_id=external_id)


# -- the reader ------------------------------------------------------------------------------------------


def _printed(audited: Audited, org_id: str) -> tuple[str, str]:
    """The page's commands for the reader, in the bucket and of a copy, with this ledger's names for the page's."""
    there, copy = (block.text for block in blocks(DOCUMENT) if "indelible verify" in block.text)
    role = "arn:aws:iam::123456789012:role/indelible-auditor-reader-eu-central-1"
    assert role in there
    there = there.replace(role, audited.stack["ReaderRoleArn"])
    bucket = f"s3://{audited.ledger.bucket}/"
    return tuple(text.replace("s3://BUCKET/", bucket).replace("acme-corp", org_id) for text in (there, copy))  # type: ignore[return-value]


def _types(audited: Audited, directory: Path, script: str) -> subprocess.CompletedProcess[str]:
    """At the auditor's own machine: keys of the auditor's account, as the default profile of its configuration."""
    (directory / "credentials").write_text(f"[default]\naws_access_key_id = {ACCOUNT}\naws_secret_access_key = test\n")
    environment = aws_environment(audited.ledger.endpoint_url)
    del environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
    environment |= {
        "AWS_CONFIG_FILE": str(directory / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(directory / "credentials"),
        "PATH": os.pathsep.join([str(provide(directory)), os.environ["PATH"]]),
        "HOME": str(directory),  # where the AWS command line keeps the credentials of roles
        "external_id": EXTERNAL_ID,
    }
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def _pinned(audited: Audited, directory: Path) -> None:
    with wiring(audited.ledger, variables_of(audited.ledger, "meta")) as bootstrap:
        published = bootstrap.meta.meta().keys({}, Caller(None, 0)).content
    (directory / "ledger.vkey").write_text(published.keys[0].verifier_key)


@pytest.mark.usefixtures("over_http")
def test_the_reader_verifies_as_the_page_says(audited: Audited, tmp_path: Path) -> None:
    org_id = NAMED[1]
    _pinned(audited, tmp_path)
    done = _types(audited, tmp_path, "".join(_printed(audited, org_id)))
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    there, copy = done.stdout.split("VALID ")[1:]
    assert there.startswith(f"s3://{audited.ledger.bucket}/{org_id}\n")
    assert copy.startswith("copy\n")
    for said in ("pinned by you", "from 1 to 4", "size 4", "of the ledger's own log"):
        assert said in there
        assert said in copy


@pytest.mark.usefixtures("over_http")
def test_what_the_reader_may_not_verify_could_not_be_checked(audited: Audited, tmp_path: Path) -> None:
    _pinned(audited, tmp_path)
    done = _types(audited, tmp_path, _printed(audited, OTHER)[0])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Could not check: ")
    assert "AccessDenied" in done.stderr
    assert done.stderr.count("\n") == 1


def test_over_plain_http_even_the_reader_is_refused(audited: Audited, tmp_path: Path) -> None:
    _pinned(audited, tmp_path)
    done = _types(audited, tmp_path, _printed(audited, NAMED[0])[0])
    assert (done.returncode, "AccessDenied" in done.stderr) == (2, True)


@pytest.mark.usefixtures("over_http")
def test_the_reader_reads_what_it_was_given_and_nothing_else(audited: Audited) -> None:
    reader, bucket = audited.assume("Reader"), audited.ledger.bucket
    s3 = reader.client("s3")
    for org_id in NAMED:
        assert not refused(s3, "list_object_versions", Bucket=bucket, Prefix=f"{org_id}/")
    key = audited.admin.keys(NAMED[0])[0]
    assert not refused(s3, "get_object_retention", Bucket=bucket, Key=key)
    assert not refused(s3, "get_object", Bucket=bucket, Key="_ledger/_log/checkpoint")

    (theirs, *_) = audited.admin.versions(f"{OTHER}/")
    assert refused(s3, "list_object_versions", Bucket=bucket, Prefix=f"{OTHER}/")
    assert refused(s3, "list_object_versions", Bucket=bucket)
    assert refused(s3, "list_objects_v2", Bucket=bucket, Prefix="")
    assert refused(s3, "get_object", Bucket=bucket, Key=theirs["Key"])
    assert refused(s3, "get_object", Bucket=bucket, Key=theirs["Key"], VersionId=theirs["VersionId"])


@pytest.mark.usefixtures("over_http")
@pytest.mark.parametrize("kind", ["Reader", "Analyst"])
def test_neither_changes_anything_or_reaches_what_holds_no_evidence(audited: Audited, kind: str) -> None:
    who, bucket = audited.assume(kind), audited.ledger.bucket
    s3, key = who.client("s3"), audited.admin.keys(NAMED[0])[0]
    before = audited.admin.versions("")
    assert refused(s3, "put_object", Bucket=bucket, Key=f"{NAMED[0]}/new", Body=b"x", IfNoneMatch="*")
    assert refused(s3, "delete_object", Bucket=bucket, Key=key)
    (version,) = (one["VersionId"] for one in before if one["Key"] == key)
    assert refused(s3, "delete_object", Bucket=bucket, Key=key, VersionId=version, BypassGovernanceRetention=True)
    until = datetime.now(UTC) + timedelta(days=9999)
    longer = {"Mode": "COMPLIANCE", "RetainUntilDate": until}
    assert refused(s3, "put_object_retention", Bucket=bucket, Key=key, Retention=longer)
    assert audited.admin.versions("") == before

    assert refused(who.client("dynamodb"), "scan", TableName=audited.ledger.table)
    assert refused(who.client("secretsmanager"), "get_secret_value", SecretId=audited.stack["SecretArn"])
    kms = who.client("kms")
    assert refused(kms, "get_public_key", KeyId=audited.ledger.signing_key_id)
    signing = {"Message": b"x", "SigningAlgorithm": "ED25519_SHA_512"}
    assert refused(kms, "sign", KeyId=audited.ledger.signing_key_id, **signing)


# -- the analyst -----------------------------------------------------------------------------------------


def _described(audited: Audited) -> dict[str, Any]:
    glue = audited.assume("Analyst").client("glue")
    found: dict[str, Any] = glue.get_table(DatabaseName=audited.stack["Database"], Name="records")["Table"]
    return found


def test_the_table_projects_the_days_of_the_named_organisations(audited: Audited) -> None:
    found = _described(audited)
    assert [key["Name"] for key in found["PartitionKeys"]] == ["org", "day"]
    parameters = {key: value for key, value in found["Parameters"].items() if "." in key}
    assert parameters == {
        "projection.enabled": "true",
        "projection.org.type": "enum",
        "projection.org.values": ",".join(NAMED),
        "projection.day.type": "date",
        "projection.day.format": "yyyy/MM/dd",
        "projection.day.range": "2026/01/01,NOW",
        "projection.day.interval": "1",
        "projection.day.interval.unit": "DAYS",
        "storage.location.template": f"s3://{audited.ledger.bucket}/${{org}}/${{day}}/",
    }


def _saved(audited: Audited) -> list[dict[str, Any]]:
    """Listed by the analyst. By their ids the emulator does not find the workgroup, and refuses all but the root."""
    listed = audited.assume("Analyst").client("athena").list_named_queries(WorkGroup=audited.stack["Workgroup"])
    athena = audited.admin.client("athena")
    found: list[dict[str, Any]] = athena.batch_get_named_query(NamedQueryIds=listed["NamedQueryIds"])["NamedQueries"]
    return found


def test_the_workgroup_is_as_it_was_described_and_keeps_the_queries(audited: Audited) -> None:
    athena = audited.assume("Analyst").client("athena")
    workgroup = athena.get_work_group(WorkGroup=audited.stack["Workgroup"])["WorkGroup"]
    configuration = workgroup["Configuration"]
    assert workgroup["State"] == "ENABLED"
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["BytesScannedCutoffPerQuery"] == 100 * 10**9
    assert configuration["ResultConfiguration"]["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}

    saved = _saved(audited)
    assert {one["Name"]: one["QueryString"] for one in saved} == {
        path.stem.replace("_", " "): path.read_text() for path in QUERIES.glob("*.sql")
    }
    assert {one["Database"] for one in saved} == {audited.stack["Database"]}
    assert refused(athena, "start_query_execution", QueryString="SELECT 1", WorkGroup="primary")


def _days() -> tuple[str, str]:
    """Yesterday and today: a test may run at midnight."""
    now = datetime.now(UTC)
    return f"{now - timedelta(days=1):%Y/%m/%d}", f"{now:%Y/%m/%d}"


@pytest.mark.usefixtures("over_http")
def test_the_saved_queries_answer_over_what_the_analyst_may_read(audited: Audited, tmp_path: Path) -> None:
    """Partition by partition, as Athena reads; the SQL and the table's description are those of the deployment."""
    s3, bucket = audited.assume("Analyst").client("s3"), audited.ledger.bucket
    for org_id in NAMED:
        for day in _days():
            for one in s3.list_objects_v2(Bucket=bucket, Prefix=f"{org_id}/{day}/").get("Contents", []):
                path = tmp_path / one["Key"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read())
    described = _described(audited)
    table = records_table(tmp_path, described["Parameters"], described["StorageDescriptor"]["Columns"])
    query = {one["Name"]: one["QueryString"] for one in _saved(audited)}

    asked = ("globex", *_days())
    standing = run(table, query["decisions without human override"], *asked)
    assert [(row["sequence"], row["reason"]) for row in standing] == [(1, "Income covers it."), (4, "rule 7")]
    assert [row["sequence"] for row in run(table, query["one trace"], *asked, "t1")] == [1, 2]
    assert [row["outcome"] for row in run(table, query["failures"], *asked)] == ["failure", "BLOCKED"]
    counts = run(table, query["agent daily counts"], *asked)
    assert sum(row["events"] for row in counts) == len(EVENTS)
    assert run(table, query["failures"], OTHER, *_days()) == []


@pytest.mark.usefixtures("over_http")
def test_the_analyst_reads_no_logs_versions_or_others(audited: Audited) -> None:
    s3, bucket = audited.assume("Analyst").client("s3"), audited.ledger.bucket
    (record, *_) = (one for one in audited.admin.versions(f"{NAMED[0]}/2"))
    assert not refused(s3, "get_object", Bucket=bucket, Key=record["Key"])
    assert refused(s3, "get_object", Bucket=bucket, Key=record["Key"], VersionId=record["VersionId"])
    assert refused(s3, "list_object_versions", Bucket=bucket, Prefix=f"{NAMED[0]}/")
    assert refused(s3, "get_object_retention", Bucket=bucket, Key=record["Key"])
    assert refused(s3, "get_object", Bucket=bucket, Key=f"{NAMED[0]}/_log/checkpoint")
    assert refused(s3, "get_object", Bucket=bucket, Key="_ledger/_log/checkpoint")
    (theirs, *_) = audited.admin.keys(OTHER)
    assert refused(s3, "get_object", Bucket=bucket, Key=theirs)
    assert refused(s3, "list_objects_v2", Bucket=bucket, Prefix=f"{OTHER}/")
