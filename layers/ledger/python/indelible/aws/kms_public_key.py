# SPDX-License-Identifier: Apache-2.0
"""SigningKeys on KMS: the public half of the key that signs checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indelible.aws.error_map import translated
from indelible.domain import note
from indelible.errors import ConfigurationError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class KmsPublicKey:
    """One key. A KMS key never changes its key material here, so it is read once for each environment."""

    def __init__(self, *, client: KMSClient, key_id: str) -> None:
        self._client = client
        self._key_id = key_id
        self._known: bytes | None = None

    @translated("KMS")
    def public_keys(self) -> tuple[bytes, ...]:
        """GetPublicKey, the first time. IAM: kms:GetPublicKey."""
        if self._known is None:
            der = self._client.get_public_key(KeyId=self._key_id)["PublicKey"]
            try:
                self._known = note.ed25519_from_spki(der)
            except ValueError as error:
                raise ConfigurationError(f"the signing key is {error}") from None
        return (self._known,)
