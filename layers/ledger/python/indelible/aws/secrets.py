# SPDX-License-Identifier: Apache-2.0
"""SecretSource on Secrets Manager, cached by Powertools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from indelible.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_CACHED_SECONDS = 900


class SecretsManagerSource:
    """The master secret, read once every 15 minutes in each execution environment."""

    def __init__(self, *, client: SecretsManagerClient, secret_id: str) -> None:
        self._provider = SecretsProvider(boto3_client=client)
        self._secret_id = secret_id

    def master(self) -> bytes:
        """GetSecretValue. IAM: secretsmanager:GetSecretValue."""
        try:
            value = self._provider.get(self._secret_id, max_age=_CACHED_SECONDS)
        except GetParameterError as error:
            # The error may quote the request: the client gets none of it.
            raise Unavailable("the master secret could not be read") from error
        return value if isinstance(value, bytes) else str(value).encode()
