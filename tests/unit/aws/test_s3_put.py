# SPDX-License-Identifier: Apache-2.0
"""A conditional PUT beside another one, which no emulator answers as S3 does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from indelible.aws.s3_put import put_on_condition

REQUEST = {"Bucket": "evidence", "Key": "acme/_log/tile/0/000.p/3", "Body": b"tile", "IfNoneMatch": "*"}


@pytest.fixture
def s3() -> Iterator[tuple[Any, Stubber]]:
    client: Any = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        yield client, stub
        stub.assert_no_pending_responses()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it waited, without the waiting."""
    waited: list[float] = []
    monkeypatch.setattr("indelible.aws.s3_put.time.sleep", waited.append)
    return waited


def conflicts(stub: Stubber, count: int) -> None:
    for _ in range(count):
        stub.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409, expected_params=REQUEST)


def test_two_writing_at_the_same_moment_is_no_answer_yet(s3: tuple[Any, Stubber], pauses: list[float]) -> None:
    client, stub = s3
    conflicts(stub, 3)
    stub.add_response("put_object", {"VersionId": "v1"}, REQUEST)

    assert put_on_condition(client, **REQUEST)["VersionId"] == "v1"
    assert len(pauses) == 3


def test_a_conflict_that_does_not_end_is_told(s3: tuple[Any, Stubber], pauses: list[float]) -> None:
    client, stub = s3
    conflicts(stub, 4)

    with pytest.raises(ClientError, match="ConditionalRequestConflict"):
        put_on_condition(client, **REQUEST)


def test_every_other_answer_is_one(s3: tuple[Any, Stubber], pauses: list[float]) -> None:
    client, stub = s3
    stub.add_client_error("put_object", "PreconditionFailed", http_status_code=412)

    with pytest.raises(ClientError, match="PreconditionFailed"):
        put_on_condition(client, **REQUEST)
    assert pauses == []
