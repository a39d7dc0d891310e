# SPDX-License-Identifier: Apache-2.0
"""KmsKey against what KMS answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA65PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from indelible.aws.kms_key import ML_DSA_44, KmsKey
from indelible.errors import ConfigurationError, Unavailable

KEY_ID = "arn:aws:kms:us-east-1:000000000000:key/1"
SPKI = bytes.fromhex("302a300506032b6570032100") + bytes(range(32))
MESSAGE = b"indelible/acme-corp\n3\nroot\n"
ASKED = {"KeyId": KEY_ID, "Message": MESSAGE, "MessageType": "RAW", "SigningAlgorithm": "ED25519_SHA_512"}


@pytest.fixture
def kms() -> Iterator[tuple[KmsKey, Stubber]]:
    client: Any = boto3.client("kms", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        yield KmsKey(client=client, key_id=KEY_ID), stub
        stub.assert_no_pending_responses()


def test_the_message_itself_is_signed_not_a_digest(kms: tuple[KmsKey, Stubber]) -> None:
    signer, stub = kms
    stub.add_response("sign", {"Signature": bytes(64)}, ASKED)

    assert signer.sign(MESSAGE) == bytes(64)


@pytest.mark.parametrize("code", ["ThrottlingException", "KMSInternalException", "DependencyTimeoutException"])
def test_an_outage_is_one(kms: tuple[KmsKey, Stubber], code: str) -> None:
    signer, stub = kms
    status = 400 if code == "ThrottlingException" else 500
    stub.add_client_error("sign", code, http_status_code=status, expected_params=ASKED)

    with pytest.raises(Unavailable):
        signer.sign(MESSAGE)


def test_a_refusal_keeps_its_type(kms: tuple[KmsKey, Stubber]) -> None:
    signer, stub = kms
    stub.add_client_error("sign", "AccessDeniedException", http_status_code=400)

    with pytest.raises(ClientError):
        signer.sign(MESSAGE)


def test_the_public_key_is_asked_for_once(kms: tuple[KmsKey, Stubber]) -> None:
    signer, stub = kms
    stub.add_response("get_public_key", {"PublicKey": SPKI}, {"KeyId": KEY_ID})

    assert signer.public_key() == signer.public_key() == bytes(range(32))


def test_an_outage_is_not_remembered(kms: tuple[KmsKey, Stubber]) -> None:
    signer, stub = kms
    stub.add_client_error("get_public_key", "KMSInternalException", http_status_code=500)
    stub.add_response("get_public_key", {"PublicKey": SPKI}, {"KeyId": KEY_ID})

    with pytest.raises(Unavailable):
        signer.public_key()
    assert signer.public_key() == bytes(range(32))


def test_a_key_of_another_kind_is_a_fault_of_the_deployment(kms: tuple[KmsKey, Stubber]) -> None:
    signer, stub = kms
    stub.add_response("get_public_key", {"PublicKey": b"0" * 91}, {"KeyId": KEY_ID})

    with pytest.raises(ConfigurationError):
        signer.public_key()


# -- the second key: what KMS documents, never asked of KMS itself ------------------------------------------

SECOND = MLDSA44PrivateKey.from_seed_bytes(bytes(32)).public_key()
SECOND_SPKI = SECOND.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
OTHER_SPKI = (
    MLDSA65PrivateKey.from_seed_bytes(bytes(32))
    .public_key()
    .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
)


@pytest.fixture
def second() -> Iterator[tuple[KmsKey, Stubber]]:
    client: Any = boto3.client("kms", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stub:
        yield KmsKey(client=client, key_id=KEY_ID, scheme=ML_DSA_44), stub
        stub.assert_no_pending_responses()


def test_ml_dsa_signs_the_message_itself_too(second: tuple[KmsKey, Stubber]) -> None:
    signer, stub = second
    stub.add_response("sign", {"Signature": bytes(2420)}, ASKED | {"SigningAlgorithm": "ML_DSA_SHAKE_256"})

    assert signer.sign(MESSAGE) == bytes(2420)


def test_the_public_key_of_ml_dsa_is_asked_for_once(second: tuple[KmsKey, Stubber]) -> None:
    signer, stub = second
    stub.add_response("get_public_key", {"PublicKey": SECOND_SPKI}, {"KeyId": KEY_ID})

    assert signer.public_key() == signer.public_key() == SECOND.public_bytes_raw()
    assert len(signer.public_key()) == 1312


@pytest.mark.parametrize(
    "spki", [SPKI, OTHER_SPKI, SECOND_SPKI[:-1], SECOND_SPKI + b"\0", SECOND_SPKI[:21] + b"\1" + SECOND_SPKI[22:]]
)
def test_only_ml_dsa_44_is_taken_for_it(second: tuple[KmsKey, Stubber], spki: bytes) -> None:
    signer, stub = second
    stub.add_response("get_public_key", {"PublicKey": spki}, {"KeyId": KEY_ID})

    with pytest.raises(ConfigurationError, match="ML-DSA-44"):
        signer.public_key()
