# SPDX-License-Identifier: Apache-2.0
"""S3LegalHolds against answers of S3 that no emulator gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from indelible.aws.s3_holds import S3LegalHolds
from indelible.errors import Unavailable

KEY = "acme/_log/tile/0/000"
ONE = {"Bucket": "evidence", "Key": KEY, "VersionId": "v1"}


@pytest.fixture
def s3() -> Iterator[tuple[S3LegalHolds, Stubber]]:
    client: Any = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        yield S3LegalHolds(client=client, bucket="evidence"), stub
        stub.assert_no_pending_responses()


def test_a_version_that_was_never_held(s3: tuple[S3LegalHolds, Stubber]) -> None:
    holds, stub = s3
    stub.add_client_error("get_object_legal_hold", "NoSuchObjectLockConfiguration", http_status_code=404)
    assert holds.is_on(KEY, "v1") is False


@pytest.mark.parametrize(
    ("code", "status", "raised"), [("SlowDown", 503, Unavailable), ("NoSuchKey", 404, ClientError)]
)
def test_no_answer_is_not_taken_for_one(
    s3: tuple[S3LegalHolds, Stubber], code: str, status: int, raised: type[Exception]
) -> None:
    holds, stub = s3
    for operation in ("get_object_legal_hold", "put_object_legal_hold", "list_object_versions"):
        stub.add_client_error(operation, code, http_status_code=status)
    with pytest.raises(raised):
        holds.is_on(KEY, "v1")
    with pytest.raises(raised):
        holds.switch(KEY, "v1", on=False)
    with pytest.raises(raised):
        holds.versions(KEY)


@pytest.mark.parametrize("on", [True, False])
def test_one_version_is_named(s3: tuple[S3LegalHolds, Stubber], on: bool) -> None:
    holds, stub = s3
    status = {"Status": "ON" if on else "OFF"}
    stub.add_response("put_object_legal_hold", {}, {**ONE, "LegalHold": status})
    stub.add_response("get_object_legal_hold", {"LegalHold": status}, ONE)
    holds.switch(KEY, "v1", on=on)
    assert holds.is_on(KEY, "v1") is on


def test_the_versions_of_a_key_over_several_pages(s3: tuple[S3LegalHolds, Stubber]) -> None:
    holds, stub = s3
    page: dict[str, Any] = {
        "Versions": [{"Key": KEY, "VersionId": "v3"}, {"Key": KEY, "VersionId": "v2"}],
        "IsTruncated": True,
        "NextKeyMarker": KEY,
        "NextVersionIdMarker": "v2",
    }
    asked = {"Bucket": "evidence", "Prefix": KEY, "MaxKeys": 1000}
    stub.add_response("list_object_versions", page, asked)
    more = {"Versions": [{"Key": KEY, "VersionId": "v1"}, {"Key": f"{KEY}.p/3", "VersionId": "w1"}]}
    cut = {"IsTruncated": True, "NextKeyMarker": f"{KEY}.p/3", "NextVersionIdMarker": "w1"}
    stub.add_response("list_object_versions", more | cut, asked | {"KeyMarker": KEY, "VersionIdMarker": "v2"})
    assert list(holds.versions(KEY)) == ["v1", "v2", "v3"]
