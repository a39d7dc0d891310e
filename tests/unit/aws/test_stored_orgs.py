# SPDX-License-Identifier: Apache-2.0
"""Organisations that an earlier version stored: they are read, and they can still be changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from indelible.aws.dynamo_orgs import DynamoOrganisations
from indelible.domain.organisation import OrgConfig, OrgKey
from indelible.errors import HeadRegressed
from tests.fakes.machine import ManualClock

CREATED = "2026-01-01T00:00:00.000Z"
ACME = OrgConfig("acme-corp", CREATED, (OrgKey("k1", CREATED),))
STORED_BEFORE_PRINCIPALS = (
    '{"created_at":"2026-01-01T00:00:00.000Z","disabled_at":null,'
    '"keys":[{"created_at":"2026-01-01T00:00:00.000Z","disabled_at":null,"key_id":"k1"}],'
    '"org_id":"acme-corp","retention_days":null}'
)
ROLE = "arn:aws:iam::123456789012:role/recorder"


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        client: Any = boto3.client("dynamodb", region_name="eu-central-1")
        client.create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        )
        yield client


def organisations(dynamodb: Any) -> DynamoOrganisations:
    return DynamoOrganisations(client=dynamodb, table="ledger", clock=ManualClock())


def store(dynamodb: Any, text: str) -> None:
    dynamodb.put_item(TableName="ledger", Item={"pk": {"S": "acme-corp"}, "sk": {"S": "CONFIG"}, "config": {"S": text}})


def stored(dynamodb: Any) -> str:
    key = {"pk": {"S": "acme-corp"}, "sk": {"S": "CONFIG"}}
    return str(dynamodb.get_item(TableName="ledger", Key=key)["Item"]["config"]["S"])


@pytest.mark.parametrize("text", ["", "{}", "[1]"])
def test_a_config_that_cannot_be_read_is_named(dynamodb: Any, text: str) -> None:
    store(dynamodb, text)

    with pytest.raises(HeadRegressed, match=r"^the item acme-corp / CONFIG cannot be read"):
        organisations(dynamodb).get("acme-corp")


def test_a_config_without_principals_is_read_and_can_be_changed(dynamodb: Any) -> None:
    store(dynamodb, STORED_BEFORE_PRINCIPALS)
    table = organisations(dynamodb)
    assert table.get("acme-corp") == ACME
    allowed = replace(ACME, principals=(ROLE,))
    assert table.replace(ACME, allowed)
    assert organisations(dynamodb).get("acme-corp") == allowed
    assert table.replace(allowed, ACME)
    assert stored(dynamodb) == STORED_BEFORE_PRINCIPALS, "as an earlier version would write and compare it"


def test_what_this_version_does_not_know_is_not_lost(dynamodb: Any) -> None:
    newer = STORED_BEFORE_PRINCIPALS.replace('"keys"', '"invented_later":1,"keys"')
    store(dynamodb, newer)
    table = organisations(dynamodb)
    assert table.get("acme-corp") == ACME
    assert not table.replace(ACME, replace(ACME, disabled_at=CREATED))
    assert stored(dynamodb) == newer
