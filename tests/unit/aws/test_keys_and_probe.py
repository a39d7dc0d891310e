# SPDX-License-Identifier: Apache-2.0
"""The adapters behind GET /v1/keys and GET /health, against what the SDK would answer."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from indelible.aws.kms_public_key import KmsPublicKey
from indelible.aws.s3_probe import PROBE_CONFIG, S3Probe
from indelible.errors import ConfigurationError, Unavailable

KEY_ID = "arn:aws:kms:us-east-1:000000000000:key/1"
SPKI = bytes.fromhex("302a300506032b6570032100") + bytes(range(32))


def client(service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=PROBE_CONFIG,
    )


def test_the_key_is_read_once() -> None:
    kms = client("kms")
    with Stubber(kms) as stub:
        stub.add_response("get_public_key", {"PublicKey": SPKI}, {"KeyId": KEY_ID})
        keys = KmsPublicKey(client=kms, key_id=KEY_ID)
        assert keys.public_keys() == keys.public_keys() == (bytes(range(32)),)
        stub.assert_no_pending_responses()


def test_a_key_of_another_kind_is_a_fault_of_the_deployment() -> None:
    kms = client("kms")
    with Stubber(kms) as stub:
        stub.add_response("get_public_key", {"PublicKey": b"0" * 91}, {"KeyId": KEY_ID})
        with pytest.raises(ConfigurationError):
            KmsPublicKey(client=kms, key_id=KEY_ID).public_keys()


def test_an_outage_is_not_remembered() -> None:
    kms = client("kms")
    with Stubber(kms) as stub:
        stub.add_client_error("get_public_key", "KMSInternalException", http_status_code=500)
        stub.add_response("get_public_key", {"PublicKey": SPKI}, {"KeyId": KEY_ID})
        keys = KmsPublicKey(client=kms, key_id=KEY_ID)
        with pytest.raises(Unavailable):
            keys.public_keys()
        assert keys.public_keys() == (bytes(range(32)),)


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
