# SPDX-License-Identifier: Apache-2.0
"""A transaction that DynamoDB cancelled: its reasons say whether that is an answer, or means not now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from indelible.aws.dynamo_journal import DynamoJournal
from indelible.aws.dynamo_orgs import DynamoOrganisations, config_text
from indelible.aws.items import item
from indelible.domain.organisation import OrgConfig, OrgKey
from indelible.domain.record import EMPTY_CHAIN
from indelible.errors import HeadRegressed, Unavailable
from indelible.ports import HeadMoved, Idempotency
from tests.fakes.chains import build_chain
from tests.fakes.machine import MIDNIGHT, ManualClock

CREATED = "2026-01-01T00:00:00.000Z"
ACME = OrgConfig("acme-corp", CREATED, (OrgKey("k1", CREATED),))
CHANGED = replace(ACME, disabled_at=CREATED)
KEY = Idempotency("ab" * 32, "cd" * 32, 0)


@pytest.fixture
def dynamodb() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(client) as stub:
        yield client, stub
        stub.assert_no_pending_responses()


def cancel(stub: Stubber, *codes: str) -> None:
    reasons = {"CancellationReasons": [{"Code": code} for code in codes]} if codes else None
    stub.add_client_error("transact_write_items", "TransactionCanceledException", modeled_fields=reasons)


def hold(stub: Stubber, config: OrgConfig | None) -> None:
    stub.add_response("get_item", {"Item": item(config=config_text(config))} if config else {})


def organisations(client: Any) -> DynamoOrganisations:
    return DynamoOrganisations(client=client, table="ledger", clock=ManualClock())


@pytest.mark.parametrize("codes", [("TransactionConflict", "None"), ("None", "ThrottlingError"), ()])
def test_a_name_is_not_taken_because_dynamodb_was_busy(dynamodb: tuple[Any, Stubber], codes: tuple[str, ...]) -> None:
    client, stub = dynamodb
    cancel(stub, *codes)
    with pytest.raises(Unavailable, match="cancelled the transaction"):
        organisations(client).create(ACME)


@pytest.mark.parametrize(("there", "created"), [(ACME, True), (CHANGED, False)])
def test_a_name_that_is_there_is_taken_unless_only_the_answer_was_lost(
    dynamodb: tuple[Any, Stubber], there: OrgConfig, created: bool
) -> None:
    client, stub = dynamodb
    cancel(stub, "ConditionalCheckFailed", "None")
    hold(stub, there)
    assert organisations(client).create(ACME) is created


def test_what_was_remembered_before_a_write_is_forgotten_when_its_answer_was_lost(
    dynamodb: tuple[Any, Stubber],
) -> None:
    client, stub = dynamodb
    table = organisations(client)
    hold(stub, None)
    assert table.get("acme-corp") is None
    cancel(stub, "ConditionalCheckFailed", "None")
    hold(stub, ACME)
    assert table.create(ACME)
    hold(stub, ACME)
    assert table.get("acme-corp") == ACME
    stub.add_client_error("put_item", "ConditionalCheckFailedException")
    hold(stub, CHANGED)
    assert table.replace(ACME, CHANGED)
    hold(stub, CHANGED)
    assert table.get("acme-corp") == CHANGED
    stub.add_client_error("put_item", "InternalServerError", http_status_code=500)
    with pytest.raises(Unavailable):
        table.replace(CHANGED, ACME)
    hold(stub, ACME)
    assert table.get("acme-corp") == ACME, "the write may have come through"


@pytest.mark.parametrize(
    ("codes", "meaning"),
    [
        ((), Unavailable),
        (("ThrottlingError",), Unavailable),
        (("TransactionConflict",), HeadMoved),
        (("ConditionalCheckFailed",), HeadMoved),
        (("None", "None", "None", "ConditionalCheckFailed"), HeadRegressed),
    ],
)
def test_a_commit_with_fewer_reasons_than_writes_is_still_explained(
    dynamodb: tuple[Any, Stubber], codes: tuple[str, ...], meaning: type[Exception]
) -> None:
    client, stub = dynamodb
    cancel(stub, *codes)
    with pytest.raises(meaning):
        DynamoJournal(client=client, table="ledger").commit(EMPTY_CHAIN, build_chain(1), KEY, MIDNIGHT)
