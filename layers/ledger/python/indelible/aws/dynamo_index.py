# SPDX-License-Identifier: Apache-2.0
"""Index and News on DynamoDB: hints, which are repaired where they were lost.

{org}#TX#{tx_hash} / -                   audit_id
_NEWS#{5-minute bucket}#{shard} / {org}  expires_at: a day
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from zlib import crc32

from indelible.aws.error_map import translated
from indelible.aws.items import batch_get, batch_write, item, key, sort_keys, text
from indelible.domain.record import Record
from indelible.ports import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_BUCKET_MS = 5 * 60_000
_BUCKETS_BACK = 3
_SHARDS = 4
_DAY_SECONDS = 86_400


class DynamoIndex:
    """tx_hash → audit_id, within one organisation."""

    def __init__(self, *, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    @translated("DynamoDB")
    def put(self, record: Record) -> None:
        """PutItem. IAM: dynamodb:PutItem on `*#TX#*`."""
        self._client.put_item(
            TableName=self._table, Item=item(pk=_pk(record.org_id, record.tx_hash), sk="-", audit_id=record.audit_id)
        )

    @translated("DynamoDB")
    def find(self, org_id: str, tx_hash: str) -> str | None:
        """GetItem, consistent. IAM: dynamodb:GetItem."""
        answer = self._client.get_item(TableName=self._table, Key=key(_pk(org_id, tx_hash)), ConsistentRead=True)
        return text(answer["Item"], "audit_id") if "Item" in answer else None

    def repair(self, records: Sequence[Record]) -> int:
        """BatchGetItem, and BatchWriteItem of what is missing.

        IAM: dynamodb:BatchGetItem, dynamodb:BatchWriteItem on `*#TX#*`.
        """
        wanted = {_pk(record.org_id, record.tx_hash): record for record in records}
        found = batch_get(self._client, self._table, [key(pk) for pk in wanted], consistent=True)
        for entry in found:
            del wanted[text(entry, "pk")]
        puts = [item(pk=pk, sk="-", audit_id=record.audit_id) for pk, record in wanted.items()]
        batch_write(self._client, self._table, [{"PutRequest": {"Item": entry}} for entry in puts])
        return len(puts)


class DynamoNews:
    """Markers of organisations with new records, by time, spread over a few partitions."""

    def __init__(self, *, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    @translated("DynamoDB")
    def mark(self, org_id: str, now_ms: int) -> None:
        """PutItem. IAM: dynamodb:PutItem on `_NEWS#*`."""
        pk = _news_pk(now_ms // _BUCKET_MS, crc32(org_id.encode()) % _SHARDS)
        self._client.put_item(
            TableName=self._table, Item=item(pk=pk, sk=org_id, expires_at=now_ms // 1000 + _DAY_SECONDS)
        )

    def recent(self, now_ms: int, after: str | None, *, limit: int) -> Page:
        """One Query for each bucket of each shard, until the page is full. IAM: dynamodb:Query."""
        newest, shard, last = _cursor(after) if after else (now_ms // _BUCKET_MS, 0, None)
        found: list[str] = []
        while shard < _SHARDS:
            # An organisation is always in the same shard, but perhaps in several of its buckets.
            here: set[str] = set()
            for bucket in range(newest - _BUCKETS_BACK, newest + 1):
                here.update(
                    sort_keys(self._client, self._table, _news_pk(bucket, shard), after=last, limit=limit - len(found))
                )
            found += sorted(here)[: limit - len(found)]
            if len(found) == limit:
                return Page(tuple(found), after=f"{newest}.{shard}.{found[-1]}")
            shard, last = shard + 1, None
        return Page(tuple(found), after=None)


def _cursor(after: str) -> tuple[int, int, str]:
    newest, shard, last = after.split(".", 2)
    return int(newest), int(shard), last


def _pk(org_id: str, tx_hash: str) -> str:
    return f"{org_id}#TX#{tx_hash}"


def _news_pk(bucket: int, shard: int) -> str:
    return f"_NEWS#{bucket}#{shard}"
