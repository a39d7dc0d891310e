# SPDX-License-Identifier: Apache-2.0
"""S3Exports on moto: create once, note on condition, locked files of any length, addresses that end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError
from moto import mock_aws

from indelible.aws import s3_exports
from indelible.aws.s3_exports import S3Exports
from indelible.domain.export_job import ExportJob, ExportState
from indelible.domain.record import Retention
from indelible.errors import EvidenceBroken, Unavailable
from tests.fakes.machine import ManualClock

BUCKET = "exports"
JOB = ExportJob(org_id="acme-corp", first=1, last=9, covered_by=9)
PENDING = ExportState(job=JOB, status="pending", at_ms=1)
FAILED = ExportState(job=JOB, status="failed", at_ms=2, code="UNAVAILABLE")
DAY_MS = 86_400_000


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        made = boto3.client(
            "s3",
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=Config(signature_version="s3v4"),
        )
        made.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        yield made


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(client: Any, clock: ManualClock) -> S3Exports:
    return S3Exports(client=client, bucket=BUCKET, retention=Retention("COMPLIANCE", 7), clock=clock)


def test_a_state_is_noted_once_and_replaced_on_condition(store: S3Exports) -> None:
    assert store.state(JOB.org_id, JOB.export_id) is None
    assert store.swap(PENDING, replaces=None)
    assert not store.swap(FAILED, replaces=None)
    noted = store.state(JOB.org_id, JOB.export_id)
    assert noted is not None
    assert noted.state == PENDING
    assert store.state("globex", JOB.export_id) is None
    store.put_state(FAILED)
    again = store.state(JOB.org_id, JOB.export_id)
    assert again is not None
    assert again.state == FAILED


class AnswersLost:
    """A client whose PutObject is sent again, as by the SDK when the first answer did not arrive."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_object(self, **asked: Any) -> Any:
        self._client.put_object(**asked)
        return self._client.put_object(**asked)


def test_a_note_whose_first_answer_was_lost_is_our_own(client: Any, clock: ManualClock) -> None:
    """Else nobody would pack: whoever asked would believe that somebody else does."""
    store = S3Exports(client=AnswersLost(client), bucket=BUCKET, retention=Retention("COMPLIANCE", 7), clock=clock)

    assert store.swap(PENDING, replaces=None)
    assert not store.swap(FAILED, replaces=None)
    noted = store.state(JOB.org_id, JOB.export_id)
    assert store.swap(FAILED, replaces=noted)
    assert not store.swap(PENDING, replaces=noted)


@pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict"])
def test_a_note_that_lost_the_race_is_not_our_own(
    store: S3Exports, client: Any, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "lost"}}, "PutObject")

    monkeypatch.setattr(client, "put_object", refuse)
    assert not store.swap(PENDING, replaces=None)


def test_a_note_that_cannot_be_read(store: S3Exports, client: Any) -> None:
    client.put_object(Bucket=BUCKET, Key=f"acme-corp/{JOB.export_id}/state.json", Body=b"junk")
    with pytest.raises(EvidenceBroken):
        store.state(JOB.org_id, JOB.export_id)


@pytest.mark.parametrize("size", [0, 10, 5 << 20, (5 << 20) + 1, 17 << 20])
def test_a_file_of_any_length(
    store: S3Exports, client: Any, clock: ManualClock, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_exports, "_PART", 5 << 20)
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    sha256 = hashlib.sha256(data).hexdigest()
    pieces = [data[start : start + 3_000_000] for start in range(0, size, 3_000_000)]
    until_ms = store.put_file(JOB, pieces, form="bundle", sha256=sha256)
    assert until_ms == clock.now + 7 * DAY_MS
    key = f"acme-corp/{JOB.export_id}/{sha256}.zip"
    there = client.get_object(Bucket=BUCKET, Key=key)
    assert there["Body"].read() == data
    if size > 5 << 20:
        return  # moto forgets the lock of what came in parts; the emulator's tests look at that
    assert there["ObjectLockMode"] == "COMPLIANCE"
    assert abs(there["ObjectLockRetainUntilDate"].timestamp() * 1000 - until_ms) < 1000
    clock.advance(1000)
    assert abs(store.put_file(JOB, [b"not read"], form="bundle", sha256=sha256) - until_ms) < 1000, (
        "what is there is kept"
    )
    versions = client.list_object_versions(Bucket=BUCKET, Prefix=key)["Versions"]
    assert len(versions) == 1


def test_a_broken_upload_leaves_nothing(store: S3Exports, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_exports, "_PART", 5 << 20)

    def broken() -> Iterator[bytes]:
        yield bytes(11 << 20)
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError):
        store.put_file(JOB, broken(), form="csv", sha256="ab" * 32)
    assert "Contents" not in client.list_objects_v2(Bucket=BUCKET)
    assert not client.list_multipart_uploads(Bucket=BUCKET).get("Uploads")


def test_an_upload_whose_end_is_unknown_may_be_tried_again(
    store: S3Exports, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The upload is complete and cannot be aborted; what says so must not take the place of what went wrong."""
    monkeypatch.setattr(s3_exports, "_PART", 5 << 20)
    complete = client.complete_multipart_upload

    def answer_lost(**asked: Any) -> None:
        complete(**asked)
        raise ConnectionClosedError(endpoint_url="https://s3")

    monkeypatch.setattr(client, "complete_multipart_upload", answer_lost)
    with pytest.raises(Unavailable):
        store.put_file(JOB, [bytes(11 << 20)], form="bundle", sha256="ab" * 32)


@pytest.mark.parametrize(
    ("form", "name", "kind"),
    [
        ("bundle", "acme-corp-1-9.zip", "application/zip"),
        ("csv", "acme-corp-1-9.csv", "text/csv; charset=utf-8"),
        ("jsonl", "acme-corp-1-9.jsonl", "application/jsonl"),
        ("aat", "acme-corp-1-9.aat.jsonl", "application/jsonl"),
        ("ocsf", "acme-corp-1-9.ocsf.jsonl", "application/jsonl"),
        ("pdf", "acme-corp-1-9.pdf", "application/pdf"),
    ],
)
def test_an_address_is_for_one_file_and_ends(store: S3Exports, client: Any, form: str, name: str, kind: str) -> None:
    sha256 = hashlib.sha256(b"x").hexdigest()
    store.put_file(JOB, [b"x"], form=form, sha256=sha256)
    url = urlsplit(store.url(JOB, form=form, sha256=sha256, expires_in_s=900))
    key = f"acme-corp/{JOB.export_id}/{sha256}.{name.partition('.')[2]}"
    assert url.path.endswith(key)
    assert client.head_object(Bucket=BUCKET, Key=key)["ContentType"] == kind
    asked = parse_qs(url.query)
    assert asked["X-Amz-Expires"] == ["900"]
    assert asked["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert asked["response-content-disposition"] == [f'attachment; filename="{name}"']
    assert asked["response-content-type"] == [kind]
