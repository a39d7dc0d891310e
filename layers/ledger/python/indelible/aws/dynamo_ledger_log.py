# SPDX-License-Identifier: Apache-2.0
"""LedgerRegister and LedgerOutbox on DynamoDB.

_ledger / LOG                              tree_size, root, published, batch: a line for each leaf
_LEDGER#OUTBOX#{shard} / {org}#{size}      sha256, retain_until, published_at

The size has twelve digits, so an organisation's checkpoints sort by size. A batch of 1,000 takes some 150 of the 400 KB
that an item may have, and only until it is published.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from zlib import crc32

from indelible.aws.error_map import translated
from indelible.aws.items import LEDGER, REGISTER, Item, batch_write, item, key, number, parse_item, put_if, text
from indelible.domain import instants
from indelible.domain.ledger import LedgerLeaf
from indelible.ports import EMPTY_LEDGER, LedgerState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_SHARDS = 8


class DynamoLedgerRegister:
    """The register is one item."""

    def __init__(self, *, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    @translated("DynamoDB")
    def read(self) -> LedgerState:
        """GetItem, consistent. IAM: dynamodb:GetItem."""
        found = self._client.get_item(TableName=self._table, Key=key(REGISTER, "LOG"), ConsistentRead=True).get("Item")
        return EMPTY_LEDGER if found is None else parse_item(found, ledger_of, f"{REGISTER} / LOG")

    def advance(self, old: LedgerState, new: LedgerState) -> bool:
        """PutItem on condition. IAM: dynamodb:PutItem on `_ledger`."""
        # The batch need not be compared: size and root commit to its leaves.
        seen = item(tree_size=old.tree_size, root=old.root, published=old.published)
        return put_if(self._client, self._table, ledger_item(new), seen=None if old == EMPTY_LEDGER else seen)


def ledger_of(found: Item) -> LedgerState:
    """Parse the item. Raises KeyError for an attribute that it lacks, ValueError for one that cannot be parsed."""
    return LedgerState(
        tree_size=number(found, "tree_size"),
        root=text(found, "root"),
        published=number(found, "published"),
        batch=tuple(_leaf(line) for line in text(found, "batch").splitlines()),
    )


def ledger_item(state: LedgerState) -> dict[str, AttributeValueTypeDef]:
    """The item of this state."""
    return item(
        pk=REGISTER,
        sk="LOG",
        tree_size=state.tree_size,
        root=state.root,
        published=state.published,
        batch="".join(map(_line, state.batch)),
    )


class DynamoLedgerOutbox:
    """The outbox is spread over a few partitions; each organisation is in one of them."""

    def __init__(self, *, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    @translated("DynamoDB")
    def put(self, leaf: LedgerLeaf) -> None:
        """PutItem. IAM: dynamodb:PutItem on `_LEDGER#OUTBOX#*`."""
        times = {
            "retain_until": instants.to_text(leaf.retain_until_ms),
            "published_at": instants.to_text(leaf.published_ms),
        }
        values = item({"pk": _pk(leaf), "sk": _sk(leaf), "sha256": leaf.sha256, **times})
        self._client.put_item(TableName=self._table, Item=values)

    def waiting(self) -> Iterator[LedgerLeaf]:
        """Query of each partition, consistent, page by page. IAM: dynamodb:Query."""
        pages = self._client.get_paginator("query")
        for shard in range(_SHARDS):
            partition = iter(
                pages.paginate(
                    TableName=self._table,
                    KeyConditionExpression="pk = :pk",
                    ExpressionAttributeValues=item({":pk": f"{LEDGER}#OUTBOX#{shard}"}),
                    ConsistentRead=True,
                )
            )
            while True:
                with translated("DynamoDB"):
                    page = next(partition, None)
                if page is None:
                    break
                yield from map(_waiting, page["Items"])

    def clear(self, leaves: Sequence[LedgerLeaf]) -> None:
        """BatchWriteItem. IAM: dynamodb:BatchWriteItem on `*#OUTBOX#*`."""
        keys = [key(_pk(leaf), _sk(leaf)) for leaf in leaves]
        batch_write(self._client, self._table, [{"DeleteRequest": {"Key": one}} for one in keys])


def _pk(leaf: LedgerLeaf) -> str:
    return f"{LEDGER}#OUTBOX#{crc32(leaf.org_id.encode()) % _SHARDS}"


def _sk(leaf: LedgerLeaf) -> str:
    return f"{leaf.org_id}#{leaf.size:012d}"


def _waiting(found: Item) -> LedgerLeaf:
    org_id, _, size = text(found, "sk").rpartition("#")
    return LedgerLeaf(
        org_id,
        int(size),
        text(found, "sha256"),
        retain_until_ms=instants.from_text(text(found, "retain_until")),
        published_ms=instants.from_text(text(found, "published_at")),
    )


def _line(leaf: LedgerLeaf) -> str:
    times = (instants.to_text(leaf.retain_until_ms), instants.to_text(leaf.published_ms))
    return " ".join((leaf.org_id, str(leaf.size), leaf.sha256, *times)) + "\n"


def _leaf(line: str) -> LedgerLeaf:
    org_id, size, sha256, retain_until, published = line.split(" ")
    return LedgerLeaf(
        org_id,
        int(size),
        sha256,
        retain_until_ms=instants.from_text(retain_until),
        published_ms=instants.from_text(published),
    )
