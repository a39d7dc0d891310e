# SPDX-License-Identifier: Apache-2.0
"""TableRepair on DynamoDB. No Lambda function uses it: only `indelible rebuild`, with an operator's own credentials.

A swap compares every attribute that was read, whatever it means: if any write has changed the item since, it fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from indelible.aws.dynamo_journal import head_of
from indelible.aws.dynamo_ledger_log import ledger_item, ledger_of
from indelible.aws.dynamo_log import log_item, state_of
from indelible.aws.dynamo_orgs import config_of, config_text
from indelible.aws.error_map import translated
from indelible.aws.items import REGISTER, Item, batch_get, batch_write, delete_if, item, key, number, put_if, text
from indelible.domain import instants
from indelible.domain.organisation import OrgConfig
from indelible.domain.record import Head
from indelible.ports import Found, IndexEntry, LedgerState, LogState

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

T = TypeVar("T")

_UNREADABLE = (KeyError, ValueError)
_DAY = "DAY#"


class DynamoRepair:
    """The items of every organisation, in one table."""

    def __init__(self, *, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def head(self, org_id: str) -> Found[Head]:
        """GetItem, consistent. IAM: dynamodb:GetItem."""
        return self._read(org_id, "HEAD", head_of)

    def log(self, org_id: str) -> Found[LogState]:
        """GetItem, consistent. IAM: dynamodb:GetItem."""
        return self._read(org_id, "LOG", state_of)

    def config(self, org_id: str) -> Found[OrgConfig]:
        """GetItem, consistent. IAM: dynamodb:GetItem."""
        return self._read(org_id, "CONFIG", config_of)

    def ledger(self) -> Found[LedgerState]:
        """GetItem, consistent. IAM: dynamodb:GetItem."""
        return self._read(REGISTER, "LOG", ledger_of)

    def registered(self) -> frozenset[str]:
        """Query, consistent, all pages. IAM: dynamodb:Query."""
        return frozenset(text(entry, "sk") for entry in self._query("_ORGS", ""))

    def days(self, org_id: str) -> Mapping[str, int]:
        """Query, consistent, all pages. IAM: dynamodb:Query."""
        found = self._query(org_id, _DAY)
        return {text(entry, "sk").removeprefix(_DAY): number(entry, "first_sequence") for entry in found}

    def unindexed(self, org_id: str, entries: Sequence[IndexEntry]) -> list[IndexEntry]:
        """BatchGetItem, consistent. IAM: dynamodb:BatchGetItem."""
        wanted = {_index_key(org_id, entry): entry for entry in entries}
        for found in batch_get(self._client, self._table, [key(pk) for pk in wanted], consistent=True):
            del wanted[text(found, "pk")]
        return list(wanted.values())

    def swap_head(self, org_id: str, found: Found[Head], new: Head) -> bool:
        """PutItem on condition. IAM: dynamodb:PutItem."""
        timestamp = instants.to_text(new.timestamp_ms)
        values = item(pk=org_id, sk="HEAD", sequence=new.sequence, tx_hash=new.tx_hash, timestamp=timestamp)
        return self._swap(found.seen, values)

    def swap_log(self, org_id: str, found: Found[LogState], new: LogState | None) -> bool:
        """PutItem on condition, or DeleteItem for None. IAM: dynamodb:PutItem, dynamodb:DeleteItem."""
        if new is None:
            return delete_if(self._client, self._table, key(org_id, "LOG"), seen=found.seen)
        return self._swap(found.seen, log_item(org_id, new))

    def swap_ledger(self, found: Found[LedgerState], new: LedgerState | None) -> bool:
        """PutItem on condition, or DeleteItem for None. IAM: dynamodb:PutItem, dynamodb:DeleteItem."""
        if new is None:
            return delete_if(self._client, self._table, key(REGISTER, "LOG"), seen=found.seen)
        return self._swap(found.seen, ledger_item(new))

    def swap_config(self, org_id: str, found: Found[OrgConfig], new: OrgConfig) -> bool:
        """PutItem on condition. IAM: dynamodb:PutItem."""
        return self._swap(found.seen, item(pk=org_id, sk="CONFIG", config=config_text(new)))

    def register(self, org_id: str, created_at: str) -> None:
        """PutItem on condition. IAM: dynamodb:PutItem."""
        self._swap(None, item(pk="_ORGS", sk=org_id, created_at=created_at))

    def add_days(self, org_id: str, days: Mapping[str, int]) -> None:
        """PutItem on condition for each day. IAM: dynamodb:PutItem."""
        for day, first in days.items():
            self._swap(None, item(pk=org_id, sk=f"{_DAY}{day}", first_sequence=first))

    def index(self, org_id: str, entries: Sequence[IndexEntry]) -> None:
        """BatchWriteItem. IAM: dynamodb:BatchWriteItem."""
        puts = [item(pk=_index_key(org_id, entry), sk="-", audit_id=entry.audit_id) for entry in entries]
        batch_write(self._client, self._table, [{"PutRequest": {"Item": entry}} for entry in puts])

    @translated("DynamoDB")
    def _read(self, org_id: str, sk: str, parse: Callable[[Item], T]) -> Found[T]:
        seen = self._client.get_item(TableName=self._table, Key=key(org_id, sk), ConsistentRead=True).get("Item")
        if seen is None:
            return Found(None, None)
        try:
            return Found(parse(seen), seen)
        except _UNREADABLE:
            return Found(None, seen)

    @translated("DynamoDB")
    def _query(self, pk: str, begins_with: str) -> list[Item]:
        condition, values = "pk = :pk", {":pk": pk}
        if begins_with:
            condition, values = f"{condition} AND begins_with(sk, :sk)", {**values, ":sk": begins_with}
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=item(values),
            ConsistentRead=True,
        )
        return [entry for page in pages for entry in page["Items"]]

    def _swap(self, seen: Item | None, values: Mapping[str, AttributeValueTypeDef]) -> bool:
        return put_if(self._client, self._table, values, seen=seen)


def _index_key(org_id: str, entry: IndexEntry) -> str:
    return f"{org_id}#TX#{entry.tx_hash.hex()}"
