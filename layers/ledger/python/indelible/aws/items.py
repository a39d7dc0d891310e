# SPDX-License-Identifier: Apache-2.0
"""DynamoDB's attribute values, conditional writes, queries and batches, for the other adapters."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from indelible.aws.error_map import code_of, translated
from indelible.errors import HeadRegressed, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, WriteRequestTypeDef

T = TypeVar("T")

_READ_BATCH = 100
_WRITE_BATCH = 25
_ATTEMPTS = 8
_PAUSE_S = 0.02
_UNTIL_REBUILT = "what depends on it stops until the table is rebuilt"
# From the operating system: a function that is restored from a snapshot would repeat the sequence of another generator.
_RANDOM = random.SystemRandom()

REGISTER = "_ledger"
"""The partition key of the register of the ledger's own log."""

LEDGER = "_LEDGER"
"""The partition key of the last round's start and, with a suffix, of the ledger's outbox. It differs from the
register's, because the planner may write here, but only the anchor there (infra/permissions.py)."""

Item = Mapping[str, Any]
"""An item as DynamoDB returns it. (The stubs have different types for what is sent and what is returned.)"""


def item(
    values: Mapping[str, str | int | bytes] | None = None, /, **named: str | int | bytes
) -> dict[str, AttributeValueTypeDef]:
    """`item(pk="acme", sequence=3)` → `{"pk": {"S": "acme"}, "sequence": {"N": "3"}}`."""
    return {name: _attribute(value) for name, value in {**(values or {}), **named}.items()}


def key(pk: str, sk: str = "-") -> dict[str, AttributeValueTypeDef]:
    """The primary key of one item."""
    return item(pk=pk, sk=sk)


def parse_item(found: Item, parse: Callable[[Item], T], place: str) -> T:
    """Parse an item. Raises HeadRegressed, naming `place`, for one that this version would not write.

    `parse` raises KeyError for an attribute that the item lacks, ValueError for one that cannot be parsed.
    """
    try:
        return parse(found)
    except KeyError as error:
        raise HeadRegressed(f"the item {place} has no {error}: {_UNTIL_REBUILT}") from None
    except ValueError:
        raise HeadRegressed(f"the item {place} cannot be read: {_UNTIL_REBUILT}") from None


def text(found: Item, name: str) -> str:
    """A string attribute."""
    return str(found[name]["S"])


def number(found: Item, name: str) -> int:
    """An integer attribute."""
    return int(found[name]["N"])


def chunks(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Consecutive slices of at most `size`."""
    return (values[start : start + size] for start in range(0, len(values), size))


@translated("DynamoDB")
def put_if(
    client: DynamoDBClient, table: str, values: Mapping[str, AttributeValueTypeDef], *, seen: Item | None
) -> bool:
    """PutItem, on condition that the stored item has the attributes `seen`; for None, that there is no item.

    False where the condition does not hold, and nothing was written; also where an attempt whose answer was lost has
    written `values`. Raises Unavailable. IAM: dynamodb:PutItem.
    """
    return _on_condition(lambda held: client.put_item(TableName=table, Item=values, **held), seen)


@translated("DynamoDB")
def delete_if(client: DynamoDBClient, table: str, place: Item, *, seen: Item | None) -> bool:
    """DeleteItem on the same condition as `put_if`; `place` is the primary key. IAM: dynamodb:DeleteItem."""
    return _on_condition(lambda held: client.delete_item(TableName=table, Key=place, **held), seen)


@translated("DynamoDB")
def batch_get(client: DynamoDBClient, table: str, keys: Sequence[Item], *, consistent: bool) -> list[Item]:
    """Those of the items that exist, in no order. No key may be there twice. IAM: dynamodb:BatchGetItem.

    Asks again for keys that DynamoDB leaves unprocessed. Raises Unavailable after eight attempts.
    """
    found: list[Item] = []
    for chunk in chunks(keys, _READ_BATCH):
        left: Sequence[Item] = chunk
        for _ in _attempts("DynamoDB left keys of a batch unprocessed"):
            answer = client.batch_get_item(RequestItems={table: {"Keys": list(left), "ConsistentRead": consistent}})
            found += answer["Responses"].get(table, [])
            unread = answer.get("UnprocessedKeys", {})
            left = unread[table]["Keys"] if table in unread else []
            if not left:
                break
    return found


@translated("DynamoDB")
def sort_keys(client: DynamoDBClient, table: str, pk: str, *, after: str | None, limit: int) -> list[str]:
    """Up to `limit` sort keys of a partition, after `after`, ascending, consistent. IAM: dynamodb:Query."""
    beyond = item({":after": after}) if after else {}
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="pk = :pk AND sk > :after" if after else "pk = :pk",
        ExpressionAttributeValues={**item({":pk": pk}), **beyond},
        ProjectionExpression="sk",
        ConsistentRead=True,
        PaginationConfig={"MaxItems": limit, "PageSize": limit},
    )
    return [text(entry, "sk") for page in pages for entry in page["Items"]]


@translated("DynamoDB")
def batch_write(client: DynamoDBClient, table: str, requests: Sequence[WriteRequestTypeDef]) -> None:
    """Puts and deletes, in no order, each idempotent. No key may be there twice. IAM: dynamodb:BatchWriteItem.

    Sends again what DynamoDB leaves unprocessed. Raises Unavailable after eight attempts; some may have been done.
    """
    for chunk in chunks(requests, _WRITE_BATCH):
        left: Sequence[Any] = chunk
        for _ in _attempts("DynamoDB left requests of a batch unprocessed"):
            answer = client.batch_write_item(RequestItems={table: list(left)})
            left = answer.get("UnprocessedItems", {}).get(table, [])
            if not left:
                break


def _on_condition(write: Callable[[dict[str, Any]], object], seen: Item | None) -> bool:
    held: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
    if seen is not None:
        names = [name for name in seen if name not in ("pk", "sk")]
        clauses = ["attribute_exists(pk)", *(f"#a{at} = :a{at}" for at in range(len(names)))]
        held = {"ConditionExpression": " AND ".join(clauses)}
        if names:
            held["ExpressionAttributeNames"] = {f"#a{at}": name for at, name in enumerate(names)}
            held["ExpressionAttributeValues"] = {f":a{at}": seen[name] for at, name in enumerate(names)}
    for _ in _attempts("an item of DynamoDB was locked by transactions at every attempt"):
        try:
            write(held)
        except ClientError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return False
            # A transaction of another process locks the item, and nothing was written. The SDK does not retry this.
            if code_of(error) != "TransactionConflictException":
                raise
        else:
            break
    return True


def _attempts(failing: str) -> Iterator[None]:
    """Eight attempts, with a pause before each but the first: full jitter up to 20 ms, doubled each time.

    The caller leaves the loop when it has succeeded. Raises Unavailable with the message `failing` after the last.
    """
    for attempt in range(_ATTEMPTS):
        if attempt:
            _pause(attempt - 1)
        yield
    raise Unavailable(failing)


def _attribute(value: str | int | bytes) -> AttributeValueTypeDef:
    if isinstance(value, bytes):
        return {"B": value}
    return {"S": value} if isinstance(value, str) else {"N": str(value)}


def _pause(attempt: int) -> None:
    time.sleep(_RANDOM.uniform(0, _PAUSE_S * 2**attempt))
