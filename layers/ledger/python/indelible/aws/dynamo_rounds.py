# SPDX-License-Identifier: Apache-2.0
"""RoundStarts on DynamoDB.

_LEDGER / ROUND    started_at
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from indelible.aws.error_map import translated
from indelible.aws.items import LEDGER, item, key, text
from indelible.domain import instants

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoRoundStarts:
    """One item holds the last start."""

    def __init__(self, *, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    @translated("DynamoDB")
    def begin(self, now_ms: int) -> None:
        """PutItem. IAM: dynamodb:PutItem on `_LEDGER`."""
        values = item(pk=LEDGER, sk="ROUND", started_at=instants.to_text(now_ms))
        self._client.put_item(TableName=self._table, Item=values)

    @translated("DynamoDB")
    def last(self) -> int | None:
        """GetItem. IAM: dynamodb:GetItem."""
        found = self._client.get_item(TableName=self._table, Key=key(LEDGER, "ROUND")).get("Item", {})
        try:
            return instants.from_text(text(found, "started_at"))
        except (KeyError, ValueError):  # there is no item, or one that says nothing: this is a hint
            return None
