# SPDX-License-Identifier: Apache-2.0
"""Organisations on DynamoDB.

{org} / CONFIG     config: the OrgConfig as JSON, compared as a whole when it is replaced
_ORGS / {org}      created_at
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from indelible.aws.error_map import CONDITION_FAILED, cancelled_by, translated
from indelible.aws.items import Item, item, key, parse_item, put_if, sort_keys, text
from indelible.domain.organisation import OrgConfig
from indelible.errors import Unavailable
from indelible.ports import Clock, Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Organisations that do not exist are cached, too: how long an answer takes must not tell whether one does (G6).
_CACHED_MS = 45_000
_MOST_CACHED = 4_096


class DynamoOrganisations:
    """The registry, with a cache short enough that a rotation takes effect within a minute."""

    def __init__(self, *, client: DynamoDBClient, table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._cache: OrderedDict[str, tuple[int, OrgConfig | None]] = OrderedDict()

    def get(self, org_id: str) -> OrgConfig | None:
        """GetItem, consistent, unless the answer is cached. IAM: dynamodb:GetItem."""
        now = self._clock.now_ms()
        cached = self._cache.get(org_id)
        if cached is not None and now < cached[0]:
            return cached[1]
        config = self._read(org_id)
        self._cache[org_id] = (now + _CACHED_MS, config)
        self._cache.move_to_end(org_id)
        if len(self._cache) > _MOST_CACHED:
            self._cache.popitem(last=False)
        return config

    @translated("DynamoDB")
    def create(self, config: OrgConfig) -> bool:
        """TransactWriteItems; after a conflict GetItem. IAM: dynamodb:PutItem, dynamodb:GetItem."""
        registered = item(pk="_ORGS", sk=config.org_id, created_at=config.created_at)
        described = item(pk=config.org_id, sk="CONFIG", config=config_text(config))
        try:
            self._client.transact_write_items(
                TransactItems=[
                    {
                        "Put": {
                            "TableName": self._table,
                            "Item": described,
                            "ConditionExpression": "attribute_not_exists(pk)",
                        }
                    },
                    {"Put": {"TableName": self._table, "Item": registered}},
                ]
            )
        except self._client.exceptions.TransactionCanceledException as error:
            codes = cancelled_by(error)
            if CONDITION_FAILED not in codes:
                raise Unavailable(f"DynamoDB cancelled the transaction: {', '.join(codes)}") from error
            return self._read(config.org_id) == config  # our own write, when only its answer was lost
        finally:
            self._cache.pop(config.org_id, None)
        return True

    def replace(self, old: OrgConfig, new: OrgConfig) -> bool:
        """PutItem on condition; after a conflict GetItem. IAM: dynamodb:PutItem, dynamodb:GetItem."""
        described = item(pk=new.org_id, sk="CONFIG", config=config_text(new))
        try:
            replaced = put_if(self._client, self._table, described, seen=item(config=config_text(old)))
        finally:
            self._cache.pop(new.org_id, None)
        return replaced or self._read(new.org_id) == new

    @translated("DynamoDB")
    def all(self) -> Iterator[str]:
        """Query of the registry, all pages before the first name is returned. IAM: dynamodb:Query."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=item({":pk": "_ORGS"}),
            ConsistentRead=True,
        )
        return iter([text(entry, "sk") for page in pages for entry in page["Items"]])

    def page(self, after: str | None, *, limit: int) -> Page:
        """Query of the registry. IAM: dynamodb:Query."""
        names = sort_keys(self._client, self._table, "_ORGS", after=after, limit=limit)
        return Page(tuple(names), after=names[-1] if len(names) == limit else None)

    @translated("DynamoDB")
    def registered(self, org_id: str) -> bool:
        """GetItem, consistent. IAM: dynamodb:GetItem."""
        return "Item" in self._client.get_item(TableName=self._table, Key=key("_ORGS", org_id), ConsistentRead=True)

    @translated("DynamoDB")
    def _read(self, org_id: str) -> OrgConfig | None:
        answer = self._client.get_item(TableName=self._table, Key=key(org_id, "CONFIG"), ConsistentRead=True)
        return parse_item(answer["Item"], config_of, f"{org_id} / CONFIG") if "Item" in answer else None


def config_of(found: Item) -> OrgConfig:
    """Parse the item. Raises KeyError for an attribute that it lacks, ValueError for a text that is no config."""
    try:
        return msgspec.json.decode(text(found, "config"), type=OrgConfig)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None


def config_text(config: OrgConfig) -> str:
    """The JSON text of a config, as it is stored and compared."""
    # It is compared as a whole. So a member that a later version added is left out while it is empty: a config that was
    # stored before keeps its text, and can be replaced. And an older version, which does not know the member, computes
    # another text for a config that has it, and so cannot replace that config and lose the member.
    members = msgspec.to_builtins(config)
    if not members["principals"]:
        del members["principals"]
    return msgspec.json.encode(members, order="sorted").decode()
