# SPDX-License-Identifier: Apache-2.0
"""What AWS says and what it means; batches that AWS leaves half done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError, ReadTimeoutError
from botocore.stub import Stubber

from indelible.aws import items
from indelible.aws.dynamo_repair import DynamoRepair
from indelible.aws.error_map import translated
from indelible.aws.stack_outputs import stack_outputs
from indelible.domain.record import Head
from indelible.errors import NotFound, Unavailable
from indelible.ports import Found
from tests.fakes.machine import MIDNIGHT


def client_error(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Operation")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    "error",
    [
        client_error("ThrottlingException", 400),
        client_error("ProvisionedThroughputExceededException", 400),
        client_error("TransactionInProgressException", 400),
        client_error("TransactionConflictException", 400),
        client_error("OperationAborted", 409),
        client_error("ResourceConflictException", 409),
        client_error("WhoKnows", 500),
        client_error("SlowDown", 503),
        EndpointConnectionError(endpoint_url="https://example.invalid"),
        ReadTimeoutError(endpoint_url="https://example.invalid"),
    ],
)
def test_not_now(error: Exception) -> None:
    with pytest.raises(Unavailable), translated("DynamoDB"):
        raise error


@pytest.mark.parametrize(
    "error",
    [
        client_error("AccessDeniedException", 400),
        client_error("ValidationException", 400),
        ParamValidationError(report="x"),
    ],
)
def test_our_own_faults_keep_their_type(error: Exception) -> None:
    with pytest.raises(type(error)), translated("DynamoDB"):
        raise error


DEFINITE = {
    "ConditionalCheckFailedException",
    "IdempotentParameterMismatchException",
    "ItemCollectionSizeLimitExceededException",
    "ResourceNotFoundException",
    "TransactionCanceledException",
}
"""What DynamoDB's answers say for good, or (the last) by their reasons."""


@pytest.mark.parametrize(
    "operation",
    ["GetItem", "PutItem", "DeleteItem", "Query", "BatchGetItem", "BatchWriteItem", "TransactWriteItems"],
)
def test_every_error_in_dynamodb_s_model_is_one_or_the_other(dynamodb: tuple[Any, Stubber], operation: str) -> None:
    client, _ = dynamodb
    modelled = {shape.name for shape in client.meta.service_model.operation_model(operation).error_shapes}
    assert modelled
    for code in modelled - DEFINITE:
        with pytest.raises(Unavailable), translated("DynamoDB"):
            raise client_error(code, 400)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each was; nobody waits."""
    waited: list[float] = []
    monkeypatch.setattr(items.time, "sleep", waited.append)
    return waited


@pytest.fixture
def dynamodb(pauses: list[float]) -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(client) as stub:
        yield client, stub


def test_unread_keys_are_asked_for_again(dynamodb: tuple[Any, Stubber]) -> None:
    client, stub = dynamodb
    one, two = items.key("a"), items.key("b")
    stub.add_response("batch_get_item", {"Responses": {"t": [one]}, "UnprocessedKeys": {"t": {"Keys": [two]}}})
    stub.add_response(
        "batch_get_item", {"Responses": {"t": [two]}}, {"RequestItems": {"t": {"Keys": [two], "ConsistentRead": True}}}
    )
    assert items.batch_get(client, "t", [one, two], consistent=True) == [one, two]


def test_undone_writes_are_sent_again_and_in_the_end_given_up(dynamodb: tuple[Any, Stubber]) -> None:
    client, stub = dynamodb
    request = {"DeleteRequest": {"Key": items.key("a")}}
    for _ in range(8):
        stub.add_response("batch_write_item", {"UnprocessedItems": {"t": [request]}})
    with pytest.raises(Unavailable):
        items.batch_write(client, "t", [request])  # type: ignore[list-item]
    stub.assert_no_pending_responses()


def test_pauses_lie_between_attempts_grow_and_are_left_to_chance(
    dynamodb: tuple[Any, Stubber], pauses: list[float]
) -> None:
    client, stub = dynamodb
    request = {"DeleteRequest": {"Key": items.key("a")}}
    for _ in range(16):
        stub.add_response("batch_write_item", {"UnprocessedItems": {"t": [request]}})
    for _ in range(2):
        with pytest.raises(Unavailable, match="left requests of a batch unprocessed"):
            items.batch_write(client, "t", [request])  # type: ignore[list-item]
    first, second = pauses[:7], pauses[7:]
    assert len(second) == 7, "none after the last attempt"
    assert first != second
    for waited in (first, second):
        assert all(0 <= pause <= 0.02 * 2**attempt for attempt, pause in enumerate(waited))


def test_batches_keep_to_the_limits_of_dynamodb(dynamodb: tuple[Any, Stubber]) -> None:
    client, stub = dynamodb
    requests = [{"DeleteRequest": {"Key": items.key(str(n))}} for n in range(60)]
    for chunk in (requests[:25], requests[25:50], requests[50:]):
        stub.add_response("batch_write_item", {}, {"RequestItems": {"t": chunk}})
    items.batch_write(client, "t", requests)  # type: ignore[arg-type]
    stub.assert_no_pending_responses()


def swap(client: Any) -> bool:
    table = DynamoRepair(client=client, table="t")
    return table.swap_head("acme", Found(None, None), Head(1, "ab" * 32, MIDNIGHT))


def test_a_swap_waits_for_a_transaction_that_holds_the_item(dynamodb: tuple[Any, Stubber], pauses: list[float]) -> None:
    """Appenders move the head in transactions all the while that a rebuild puts it."""
    client, stub = dynamodb
    stub.add_client_error("put_item", "TransactionConflictException", http_status_code=400)
    stub.add_client_error("put_item", "TransactionConflictException", http_status_code=400)
    stub.add_response("put_item", {})
    assert swap(client)
    stub.add_client_error("put_item", "TransactionConflictException", http_status_code=400)
    stub.add_client_error("put_item", "ConditionalCheckFailedException", http_status_code=400)
    assert not swap(client)
    assert len(pauses) == 3


def test_a_swap_that_never_gets_the_item_is_an_outage(dynamodb: tuple[Any, Stubber]) -> None:
    client, stub = dynamodb
    for _ in range(8):
        stub.add_client_error("put_item", "TransactionConflictException", http_status_code=400)
    with pytest.raises(Unavailable, match="locked by transactions"):
        swap(client)
    stub.assert_no_pending_responses()


def test_a_ledger_that_is_not_there_is_named() -> None:
    client = boto3.client(
        "cloudformation", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    with Stubber(client) as stub:
        stub.add_client_error("describe_stacks", "ValidationError", http_status_code=400)
        with pytest.raises(NotFound, match=r"there is no stack other-ledger in eu-west-1"):
            stack_outputs(client, "other-ledger")
