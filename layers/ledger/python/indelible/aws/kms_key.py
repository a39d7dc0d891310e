# SPDX-License-Identifier: Apache-2.0
"""Signer and PublicKey on a KMS key of spec ECC_NIST_EDWARDS25519."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from indelible.aws.error_map import translated
from indelible.domain.note import ed25519_from_spki
from indelible.errors import ConfigurationError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class KmsKey:
    """One generation. A KMS key never changes its material here: its public half is asked for once."""

    def __init__(self, *, client: KMSClient, key_id: str) -> None:
        self._client = client
        self._key_id = key_id

    @translated("KMS")
    def sign(self, message: bytes) -> bytes:
        """Sign, RAW: KMS takes at most 4,096 bytes, a checkpoint has some hundred. IAM: kms:Sign."""
        answer = self._client.sign(
            KeyId=self._key_id, Message=message, MessageType="RAW", SigningAlgorithm="ED25519_SHA_512"
        )
        return answer["Signature"]

    def public_key(self) -> bytes:
        """GetPublicKey. IAM: kms:GetPublicKey."""
        return self._public_key

    @cached_property
    def _public_key(self) -> bytes:
        with translated("KMS"):
            found = self._client.get_public_key(KeyId=self._key_id)["PublicKey"]
        try:
            return ed25519_from_spki(found)
        except ValueError as error:
            raise ConfigurationError(f"the signing key is {error}") from None


def kms_keys(client: KMSClient, key_ids: str) -> tuple[KmsKey, ...]:
    """One for each id in a comma-separated list: all generations, oldest first."""
    return tuple(KmsKey(client=client, key_id=key_id) for key_id in key_ids.split(","))
