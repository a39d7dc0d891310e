# SPDX-License-Identifier: Apache-2.0
"""The adapter behind GET /health, against what the SDK would answer."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from indelible.aws.s3_probe import PROBE_CONFIG, S3Probe


def client(service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=PROBE_CONFIG,
    )


def test_a_bucket_that_answers_is_no_trouble() -> None:
    s3 = client("s3")
    with Stubber(s3) as stub:
        stub.add_response("head_bucket", {}, {"Bucket": "evidence"})
        assert S3Probe(client=s3, bucket="evidence").trouble() is None


@pytest.mark.parametrize(("code", "status"), [("403", 403), ("404", 404), ("SlowDown", 503)])
def test_whatever_else_s3_says_is_trouble_and_never_an_exception(code: str, status: int) -> None:
    s3 = client("s3")
    with Stubber(s3) as stub:
        stub.add_client_error("head_bucket", code, http_status_code=status)
        assert S3Probe(client=s3, bucket="evidence").trouble() == code


def test_no_answer_is_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = client("s3")

    def unreachable(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://example.invalid")

    monkeypatch.setattr(s3, "head_bucket", unreachable)
    assert S3Probe(client=s3, bucket="evidence").trouble() == "EndpointConnectionError"
