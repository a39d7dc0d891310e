# SPDX-License-Identifier: Apache-2.0
"""S3Records against answers of S3 that are rare, or that no emulator gives."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, FlexibleChecksumError
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from indelible.aws.s3_records import S3Records
from indelible.domain import instants
from indelible.domain.record import Record
from indelible.errors import EvidenceBroken, Unavailable
from indelible.ports import KeyVersions
from tests.fakes.chains import ORG, build_chain
from tests.fakes.machine import MIDNIGHT, ManualClock

BUCKET = "evidence"
LATER = MIDNIGHT + 5 * instants.DAY_MS


@pytest.fixture
def record() -> Record:
    return build_chain(1)[0]


@pytest.fixture
def s3() -> Iterator[tuple[S3Records, Stubber]]:
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    with ThreadPoolExecutor(1) as pool, Stubber(client) as stub:
        yield S3Records(client=client, bucket=BUCKET, pool=pool, clock=ManualClock(LATER)), stub
        stub.assert_no_pending_responses()


def checksum(record: Record) -> str:
    return base64.b64encode(bytes.fromhex(record.tx_hash)).decode()


def put(record: Record) -> dict[str, Any]:
    return {
        "Bucket": BUCKET,
        "Key": record.s3_key,
        "Body": record.data,
        "ContentType": "application/json",
        "IfNoneMatch": "*",
        "ChecksumSHA256": checksum(record),
        "ServerSideEncryption": "AES256",
        "ObjectLockMode": "COMPLIANCE",
        "ObjectLockRetainUntilDate": instants.to_datetime(record.retain_until_ms),
    }


def stored(stub: Stubber, record: Record, data: bytes, *, mode: str | None = "COMPLIANCE", days: int = 0) -> None:
    """Prepare the two answers that reading the oldest version takes."""
    listed = {"Versions": [{"Key": record.s3_key, "VersionId": "v0"}], "IsTruncated": False}
    stub.add_response("list_object_versions", listed, {"Bucket": BUCKET, "Prefix": record.s3_key, "MaxKeys": ANY})
    answer: dict[str, Any] = {
        "Body": StreamingBody(io.BytesIO(data), len(data)),
        "ChecksumSHA256": base64.b64encode(hashlib.sha256(data).digest()).decode(),
    }
    if mode:
        answer["ObjectLockMode"] = mode
        answer["ObjectLockRetainUntilDate"] = instants.to_datetime(record.retain_until_ms + days * instants.DAY_MS)
    stub.add_response(
        "get_object", answer, {"Bucket": BUCKET, "Key": record.s3_key, "VersionId": "v0", "ChecksumMode": "ENABLED"}
    )


def test_a_seal_is_one_create_only_locked_put(s3: tuple[S3Records, Stubber], record: Record) -> None:
    records, stub = s3
    stub.add_response("put_object", {"VersionId": "v1", "ChecksumSHA256": checksum(record)}, put(record))
    assert records.seal(record) == "v1"


def test_an_answer_without_a_checksum_acknowledges_the_one_that_was_sent(
    s3: tuple[S3Records, Stubber], record: Record
) -> None:
    records, stub = s3
    stub.add_response("put_object", {"VersionId": "v1"}, put(record))
    assert records.seal(record) == "v1"


@pytest.mark.parametrize("answer", [{"VersionId": "v1", "ChecksumSHA256": "AAAA"}, {}])
def test_an_answer_about_other_bytes_is_no_acknowledgment(
    s3: tuple[S3Records, Stubber], record: Record, answer: dict[str, str]
) -> None:
    records, stub = s3
    stub.add_response("put_object", answer, put(record))
    stored(stub, record, record.data)
    assert records.seal(record) == "v0"


def test_the_same_bytes_under_the_same_lock_are_success(s3: tuple[S3Records, Stubber], record: Record) -> None:
    records, stub = s3
    stub.add_client_error("put_object", "PreconditionFailed", http_status_code=412)
    stored(stub, record, record.data, days=1)
    assert records.seal(record) == "v0"


@pytest.mark.parametrize(
    ("data", "mode", "days"),
    [(b"other", "COMPLIANCE", 0), (None, None, 0), (None, "GOVERNANCE", 0), (None, "COMPLIANCE", -1)],
)
def test_anything_else_under_the_key_is_broken_evidence(
    s3: tuple[S3Records, Stubber], record: Record, data: bytes | None, mode: str | None, days: int
) -> None:
    records, stub = s3
    stub.add_client_error("put_object", "PreconditionFailed", http_status_code=412)
    stored(stub, record, data or record.data, mode=mode, days=days)
    with pytest.raises(EvidenceBroken):
        records.seal(record)


def refused(
    stub: Stubber, record: Record, *, default: dict[str, int] | None, code: str = "AccessDenied", status: int = 403
) -> None:
    """The bucket does not take the lock that is asked for; and what it says of its default."""
    stub.add_client_error("put_object", code, http_status_code=status, expected_params=put(record))
    rule = {"Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", **default}}} if default else {}
    answer = {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", **rule}}
    stub.add_response("get_object_lock_configuration", answer, {"Bucket": BUCKET})


@pytest.mark.parametrize(("default", "days"), [({"Days": 3650}, 3650), ({"Years": 10}, 3660)])
def test_what_promised_less_than_the_bucket_takes_by_now_is_locked_for_longer(
    s3: tuple[S3Records, Stubber], record: Record, default: dict[str, int], days: int
) -> None:
    records, stub = s3
    refused(stub, record, default=default)
    longer = instants.to_datetime(LATER + days * instants.DAY_MS)
    stub.add_response("put_object", {"VersionId": "v1"}, put(record) | {"ObjectLockRetainUntilDate": longer})
    assert records.seal(record) == "v1"


def test_a_promise_that_has_ended_before_the_seal_is_locked_as_a_new_object_is(
    s3: tuple[S3Records, Stubber], record: Record
) -> None:
    """In a bucket without a floor, for a trial, S3 itself refuses the lock that the record promises."""
    records, stub = s3
    refused(stub, record, default={"Days": 3650}, code="InvalidArgument", status=400)
    longer = instants.to_datetime(LATER + 3650 * instants.DAY_MS)
    stub.add_response("put_object", {"VersionId": "v1"}, put(record) | {"ObjectLockRetainUntilDate": longer})
    assert records.seal(record) == "v1"


@pytest.mark.parametrize("default", [None, {"Days": 1}, {"Years": 1}])
def test_a_refusal_stands_where_the_bucket_s_own_lock_is_no_longer(
    s3: tuple[S3Records, Stubber], record: Record, default: dict[str, int] | None
) -> None:
    records, stub = s3
    refused(stub, record, default=default)
    with pytest.raises(ClientError, match="AccessDenied"):
        records.seal(record)


def test_a_refusal_stands_where_nobody_may_ask_why(s3: tuple[S3Records, Stubber], record: Record) -> None:
    records, stub = s3
    stub.add_client_error("put_object", "AccessDenied", http_status_code=403)
    stub.add_client_error("get_object_lock_configuration", "AccessDenied", http_status_code=403)
    with pytest.raises(ClientError, match="PutObject"):
        records.seal(record)


@pytest.mark.parametrize(("code", "status"), [("SlowDown", 503), ("InternalError", 500)])
def test_what_passes_by_itself_may_be_tried_again(
    s3: tuple[S3Records, Stubber], record: Record, code: str, status: int
) -> None:
    records, stub = s3
    stub.add_client_error("put_object", code, http_status_code=status)
    with pytest.raises(Unavailable):
        records.seal(record)


def test_another_seal_under_way_is_waited_for(
    s3: tuple[S3Records, Stubber], record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    records, stub = s3
    pauses: list[float] = []
    monkeypatch.setattr("indelible.aws.s3_put.time.sleep", pauses.append)
    stub.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409, expected_params=put(record))
    stub.add_client_error("put_object", "PreconditionFailed", http_status_code=412, expected_params=put(record))
    stored(stub, record, record.data)

    assert records.seal(record) == "v0"
    assert len(pauses) == 1


def test_versions_of_one_key_may_stand_on_two_pages(s3: tuple[S3Records, Stubber]) -> None:
    records, stub = s3
    first = f"{ORG}/2026/03/20/1.json"
    second = f"{ORG}/2026/03/20/2.json"
    asked = {"Bucket": BUCKET, "Prefix": f"{ORG}/", "MaxKeys": ANY}
    stub.add_response(
        "list_object_versions",
        {
            "Versions": [{"Key": first, "VersionId": "newest"}, {"Key": first, "VersionId": "newer"}],
            "IsTruncated": True,
            "NextKeyMarker": first,
            "NextVersionIdMarker": "newer",
        },
        {**asked, "KeyMarker": f"{ORG}/"},
    )
    stub.add_response(
        "list_object_versions",
        {
            "Versions": [{"Key": first, "VersionId": "oldest"}],
            "DeleteMarkers": [{"Key": second, "VersionId": "gone"}],
            "IsTruncated": False,
        },
        {**asked, "KeyMarker": first, "VersionIdMarker": "newer"},
    )
    assert list(records.versions(ORG, after=f"{ORG}/")) == [
        KeyVersions(first, ("oldest", "newer", "newest")),
        KeyVersions(second, (), ("gone",)),
    ]


def test_the_listing_ends_before_what_is_no_record(s3: tuple[S3Records, Stubber]) -> None:
    records, stub = s3
    listed = [
        {"Key": f"{ORG}/2026/03/20/1.json", "VersionId": "a"},
        {"Key": f"{ORG}/_log/checkpoint", "VersionId": "b"},
    ]
    stub.add_response("list_object_versions", {"Versions": listed, "IsTruncated": False})
    assert [keys.s3_key for keys in records.versions(ORG, after=f"{ORG}/")] == [f"{ORG}/2026/03/20/1.json"]


def test_bytes_without_the_stored_checksum_are_returned_for_the_auditor(
    s3: tuple[S3Records, Stubber], record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refused:
        def read(self) -> bytes:
            raise FlexibleChecksumError(error_msg="no match")

    records, _ = s3
    rotten = record.data.replace(b"acme", b"bcme")
    answers = iter(
        [
            {"Body": Refused(), "ChecksumSHA256": checksum(record)},
            {"Body": io.BytesIO(rotten)},
        ]
    )
    monkeypatch.setattr(records._client, "get_object", lambda **_: next(answers))
    [(_, found)] = records.read_all([KeyVersions(record.s3_key, ("v0",))])
    assert found is not None
    assert (found.data, found.sha256, found.lock) == (rotten, record.tx_hash, None)
