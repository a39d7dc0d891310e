# SPDX-License-Identifier: Apache-2.0
"""When the last round began is a hint: an item that cannot be parsed is as good as none."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from indelible.aws.dynamo_rounds import DynamoRoundStarts


@pytest.mark.parametrize(
    "item", [{"pk": {"S": "_LEDGER"}}, {"started_at": {"S": "yesterday"}}, {"started_at": {"N": "1"}}]
)
def test_an_item_that_cannot_be_parsed_is_none(item: dict[str, Any]) -> None:
    client = boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(client) as stub:
        stub.add_response("get_item", {"Item": item})
        assert DynamoRoundStarts(client=client, table="t").last() is None
