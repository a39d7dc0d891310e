# SPDX-License-Identifier: Apache-2.0
"""LogHead on DynamoDB: the compare-and-swap register of each organisation's log.

{org} / LOG    tree_size, tail_hash, tail_timestamp, root, published, published_hash, published_timestamp, cleared
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from indelible.aws.error_map import translated
from indelible.aws.items import Item, item, key, number, parse_item, put_if, text
from indelible.domain import instants
from indelible.domain.record import EMPTY_CHAIN, Head
from indelible.ports import NOTHING_COVERED, LogState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


class DynamoLogHead:
    """The register of each organisation is one item."""

    def __init__(self, *, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    @translated("DynamoDB")
    def read(self, org_id: str) -> LogState:
        """GetItem, consistent. IAM: dynamodb:GetItem."""
        found = self._client.get_item(TableName=self._table, Key=key(org_id, "LOG"), ConsistentRead=True).get("Item")
        return NOTHING_COVERED if found is None else parse_item(found, state_of, f"{org_id} / LOG")

    def advance(self, org_id: str, old: LogState, new: LogState) -> bool:
        """PutItem on condition. IAM: dynamodb:PutItem."""
        seen = item(tree_size=old.tail.sequence, root=old.root, published=old.published.sequence, cleared=old.cleared)
        return put_if(self._client, self._table, log_item(org_id, new), seen=None if old == NOTHING_COVERED else seen)


def state_of(found: Item) -> LogState:
    """Parse the item. Raises KeyError for an attribute that it lacks, ValueError for one that cannot be parsed."""
    return LogState(
        tail=_head(found, "tree_size", "tail_hash", "tail_timestamp"),
        root=text(found, "root"),
        published=_head(found, "published", "published_hash", "published_timestamp"),
        cleared=number(found, "cleared"),
    )


def log_item(org_id: str, state: LogState) -> dict[str, AttributeValueTypeDef]:
    """The item of this state."""
    return item(
        pk=org_id,
        sk="LOG",
        tree_size=state.tail.sequence,
        tail_hash=state.tail.tx_hash,
        tail_timestamp=instants.to_text(state.tail.timestamp_ms),
        root=state.root,
        published=state.published.sequence,
        published_hash=state.published.tx_hash,
        published_timestamp=instants.to_text(state.published.timestamp_ms),
        cleared=state.cleared,
    )


def _head(found: Item, sequence: str, tx_hash: str, timestamp: str) -> Head:
    if number(found, sequence) == 0:
        return EMPTY_CHAIN
    return Head(
        sequence=number(found, sequence),
        tx_hash=text(found, tx_hash),
        timestamp_ms=instants.from_text(text(found, timestamp)),
    )
