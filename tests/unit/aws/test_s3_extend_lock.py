# SPDX-License-Identifier: Apache-2.0
"""Two runs of the anchor that lengthen the lock of one file: S3 refuses the shorter one, and that is no failure."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from indelible.aws.s3_log_files import S3LogFiles
from indelible.domain import instants
from indelible.domain.record import Retention
from tests.fakes.machine import MIDNIGHT

BUCKET, UNTIL = "evidence", MIDNIGHT + 86_400_000
PATH = "keys/0001"
VERSION = {"Bucket": BUCKET, "Key": f"_ledger/_log/{PATH}", "VersionId": "v1"}


@pytest.fixture
def s3() -> Iterator[tuple[S3LogFiles, Stubber]]:
    client: Any = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with ThreadPoolExecutor(1) as pool, Stubber(client) as stub:
        stub.add_response("list_object_versions", {"Versions": [{"Key": VERSION["Key"], "VersionId": "v1"}]})
        yield S3LogFiles(client=client, bucket=BUCKET, retention=Retention("COMPLIANCE", 1), pool=pool), stub
        stub.assert_no_pending_responses()


def locked(stub: Stubber, until_ms: int) -> None:
    stub.add_response("head_object", {"ObjectLockRetainUntilDate": instants.to_datetime(until_ms)}, VERSION)


def refused(stub: Stubber) -> None:
    """As S3 answers a request that would shorten a lock."""
    asked = VERSION | {"Retention": {"Mode": "COMPLIANCE", "RetainUntilDate": instants.to_datetime(UNTIL)}}
    stub.add_client_error("put_object_retention", "AccessDenied", http_status_code=403, expected_params=asked)


def test_a_lock_that_another_run_has_extended_meanwhile_is_long_enough(s3: tuple[S3LogFiles, Stubber]) -> None:
    files, stub = s3
    locked(stub, MIDNIGHT)
    refused(stub)
    locked(stub, UNTIL + 1000)

    found = files.extend_lock("_ledger", PATH, at_least_until_ms=UNTIL, retain_until_ms=UNTIL)
    assert found == UNTIL + 1000


def test_a_lock_that_may_not_be_extended_is_a_failure(s3: tuple[S3LogFiles, Stubber]) -> None:
    files, stub = s3
    locked(stub, MIDNIGHT)
    refused(stub)
    locked(stub, MIDNIGHT)

    with pytest.raises(ClientError):
        files.extend_lock("_ledger", PATH, at_least_until_ms=UNTIL, retain_until_ms=UNTIL)
