# SPDX-License-Identifier: Apache-2.0
"""Journal on DynamoDB: the head, the outbox and the idempotency keys of every organisation.

Items (architecture §3), `pk` / `sk`:

    {org} / HEAD                     sequence, tx_hash, timestamp
    {org} / DAY#2026-03-20           first_sequence; written when the day turns
    {org}#OUTBOX#{sequence} / -      data (the record's bytes), s3_key
    {org}#IDEM#{sha256(key)} / -     request_hash, audit_ids, tx_hash (of the last record), expires_at: 30 days;
                                     sk `+{start}` for the later transactions of one batch

Busy tenants are bounded by their head item alone: every outbox entry has a partition key of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from botocore.exceptions import ClientError

from indelible.aws.error_map import CONDITION_FAILED, cancelled_by, translated
from indelible.aws.items import Item, batch_get, batch_write, item, key, number, parse_item, text
from indelible.domain import instants
from indelible.domain.record import EMPTY_CHAIN, Head, Record
from indelible.errors import HeadRegressed, Unavailable
from indelible.ports import AlreadyRecorded, HeadMoved, Idempotency, Remembered

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

IDEMPOTENCY_DAYS = 30
_HEAD, _IDEMPOTENCY = 0, 1  # positions in the transaction, and so in its cancellation reasons


class DynamoJournal:
    """The journal of every organisation, in one table."""

    def __init__(self, *, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    @translated("DynamoDB")
    def head(self, org_id: str) -> Head:
        """GetItem, consistent. IAM: dynamodb:GetItem."""
        answer = self._client.get_item(TableName=self._table, Key=key(org_id, "HEAD"), ConsistentRead=True)
        return _head(org_id, answer.get("Item"))

    @translated("DynamoDB")
    def commit(self, head: Head, records: Sequence[Record], idempotency: Idempotency | None, now_ms: int) -> None:
        """TransactWriteItems. IAM: dynamodb:PutItem, dynamodb:UpdateItem.

        The SDK sends a client request token: its own retries, after an answer that was lost, do not commit twice.
        """
        org_id, last = records[0].org_id, records[-1]
        writes = [self._move_head(org_id, head, last)]
        if idempotency is not None:
            writes.append(self._remember(org_id, idempotency, records, now_ms))
        day = instants.day(last.timestamp_ms)
        if head == EMPTY_CHAIN or instants.day(head.timestamp_ms) != day:
            writes.append(self._put(item(pk=org_id, sk=f"DAY#{day}", first_sequence=records[0].sequence)))
        writes += [
            self._put(item(_outbox_key(org_id, r.sequence), data=r.data, s3_key=r.s3_key), "attribute_not_exists(pk)")
            for r in records
        ]
        try:
            self._client.transact_write_items(TransactItems=writes)
        except self._client.exceptions.TransactionCanceledException as error:
            self._raise_reason(org_id, error, with_idempotency=idempotency is not None)

    def outbox(self, org_id: str, sequences: Sequence[int]) -> dict[int, bytes]:
        """GetItem for one sequence, BatchGetItem for more, consistent. IAM: dynamodb:GetItem, dynamodb:BatchGetItem."""
        if len(sequences) == 1:
            found = self._one_from_outbox(org_id, sequences[0])
        else:
            # DynamoDB refuses a batch that names a key twice, and a fork is two records of one sequence.
            keys = [item(_outbox_key(org_id, sequence)) for sequence in dict.fromkeys(sequences)]
            found = batch_get(self._client, self._table, keys, consistent=True)
        waiting = {int(text(entry, "pk").rpartition("#")[2]): bytes(entry["data"]["B"]) for entry in found}
        return dict(sorted(waiting.items()))

    def clear(self, org_id: str, sequences: Sequence[int]) -> None:
        """BatchWriteItem. IAM: dynamodb:BatchWriteItem on `*#OUTBOX#*`."""
        keys = [item(_outbox_key(org_id, sequence)) for sequence in sequences]
        batch_write(self._client, self._table, [{"DeleteRequest": {"Key": entry}} for entry in keys])

    @translated("DynamoDB")
    def _one_from_outbox(self, org_id: str, sequence: int) -> list[Item]:
        answer = self._client.get_item(
            TableName=self._table, Key=item(_outbox_key(org_id, sequence)), ConsistentRead=True
        )
        return [answer["Item"]] if "Item" in answer else []

    def _move_head(self, org_id: str, head: Head, last: Record) -> TransactWriteItemTypeDef:
        values = item({":sequence": last.sequence, ":hash": last.tx_hash, ":time": instants.to_text(last.timestamp_ms)})
        condition = "attribute_not_exists(pk)"
        if head != EMPTY_CHAIN:
            # The hash as well as the sequence: a table that was restored may have another record with this sequence.
            condition = "#sequence = :from_sequence AND tx_hash = :from_hash"
            values |= item({":from_sequence": head.sequence, ":from_hash": head.tx_hash})
        return {
            "Update": {
                "TableName": self._table,
                "Key": key(org_id, "HEAD"),
                "UpdateExpression": "SET #sequence = :sequence, tx_hash = :hash, #timestamp = :time",
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {"#sequence": "sequence", "#timestamp": "timestamp"},
                "ExpressionAttributeValues": values,
                # So the answer to a lost race carries the head to try next.
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def _remember(
        self, org_id: str, idempotency: Idempotency, records: Sequence[Record], now_ms: int
    ) -> TransactWriteItemTypeDef:
        expires_at = now_ms // 1000 + IDEMPOTENCY_DAYS * 86_400
        write = self._put(
            item(
                pk=f"{org_id}#IDEM#{idempotency.key_hash}",
                sk=f"+{idempotency.start}" if idempotency.start else "-",
                request_hash=idempotency.request_hash,
                audit_ids=",".join(record.audit_id for record in records),
                tx_hash=records[-1].tx_hash,
                expires_at=expires_at,
            ),
            # DynamoDB may take days to delete an expired item. It must not count meanwhile.
            "attribute_not_exists(pk) OR expires_at < :now",
        )
        write["Put"]["ExpressionAttributeValues"] = item({":now": now_ms // 1000})
        write["Put"]["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return write

    def _put(self, values: dict[str, AttributeValueTypeDef], condition: str | None = None) -> TransactWriteItemTypeDef:
        if condition is None:
            return {"Put": {"TableName": self._table, "Item": values}}
        return {"Put": {"TableName": self._table, "Item": values, "ConditionExpression": condition}}

    def _raise_reason(self, org_id: str, error: ClientError, *, with_idempotency: bool) -> NoReturn:
        """Raise what the cancellation reasons mean."""
        reasons = error.response.get("CancellationReasons", [])
        codes = cancelled_by(error)
        failed = {place for place, code in enumerate(codes) if code == CONDITION_FAILED}
        if with_idempotency and _IDEMPOTENCY in failed:
            found = reasons[_IDEMPOTENCY]["Item"]
            audit_ids = tuple(text(found, "audit_ids").split(","))
            raise AlreadyRecorded(Remembered(text(found, "request_hash"), audit_ids, text(found, "tx_hash"))) from None
        if _HEAD in failed:
            raise HeadMoved(_head(org_id, reasons[_HEAD].get("Item"))) from None
        if "TransactionConflict" in codes:
            raise HeadMoved(None) from None
        if failed:
            raise HeadRegressed("the outbox already has a record for the next sequence") from None
        raise Unavailable(f"DynamoDB cancelled the transaction: {', '.join(sorted({*codes} - {'None'}))}") from error


def _outbox_key(org_id: str, sequence: int) -> dict[str, str | int | bytes]:
    return {"pk": f"{org_id}#OUTBOX#{sequence}", "sk": "-"}


def _head(org_id: str, found: Item | None) -> Head:
    return EMPTY_CHAIN if found is None else parse_item(found, head_of, f"{org_id} / HEAD")


def head_of(found: Item) -> Head:
    """Parse the item. Raises KeyError for an attribute that it lacks, ValueError for one that cannot be parsed."""
    return Head(
        sequence=number(found, "sequence"),
        tx_hash=text(found, "tx_hash"),
        timestamp_ms=instants.from_text(text(found, "timestamp")),
    )
