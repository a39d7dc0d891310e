# SPDX-License-Identifier: Apache-2.0
"""Signer and PublicKey on a KMS key of spec ECC_NIST_EDWARDS25519, SecondSigner on one of spec ML_DSA_44."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from indelible.aws.error_map import translated
from indelible.domain.note import ed25519_from_spki, ml_dsa_44_from_spki
from indelible.errors import ConfigurationError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_kms.literals import SigningAlgorithmSpecType


class Scheme(NamedTuple):
    """The signing algorithm of a kind of key, and the parser of its public half."""

    algorithm: SigningAlgorithmSpecType
    from_spki: Callable[[bytes], bytes]


ED25519 = Scheme("ED25519_SHA_512", ed25519_from_spki)
ML_DSA_44 = Scheme("ML_DSA_SHAKE_256", ml_dsa_44_from_spki)


class KmsKey:
    """One asymmetric key. Its material never changes, so its public half is read once."""

    def __init__(self, *, client: KMSClient, key_id: str, scheme: Scheme = ED25519) -> None:
        self._client = client
        self._key_id = key_id
        self._scheme = scheme

    @translated("KMS")
    def sign(self, message: bytes) -> bytes:
        """Sign, MessageType=RAW. IAM: kms:Sign. KMS allows 4,096 bytes; a checkpoint has a few hundred."""
        answer = self._client.sign(
            KeyId=self._key_id, Message=message, MessageType="RAW", SigningAlgorithm=self._scheme.algorithm
        )
        return answer["Signature"]

    def public_key(self) -> bytes:
        """GetPublicKey, once. IAM: kms:GetPublicKey."""
        return self._public_key

    @cached_property
    def _public_key(self) -> bytes:
        with translated("KMS"):
            found = self._client.get_public_key(KeyId=self._key_id)["PublicKey"]
        try:
            return self._scheme.from_spki(found)
        except ValueError as error:
            raise ConfigurationError(f"the signing key is {error}") from None


def kms_keys(client: KMSClient, key_ids: str) -> tuple[KmsKey, ...]:
    """The keys of a comma-separated list of ids: all generations, oldest first."""
    return tuple(KmsKey(client=client, key_id=key_id) for key_id in key_ids.split(","))
