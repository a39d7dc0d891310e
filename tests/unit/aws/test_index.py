# SPDX-License-Identifier: Apache-2.0
"""The index by hash, as it is asked."""

from __future__ import annotations

import boto3
from botocore.stub import Stubber

from indelible.aws.dynamo_index import DynamoIndex
from indelible.aws.items import item, key


def test_whoever_has_a_receipt_may_ask_for_its_hash_at_once() -> None:
    client = boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(client) as stub:
        stub.add_response(
            "get_item",
            {"Item": item(audit_id="x")},
            {"TableName": "ledger", "Key": key("acme-corp#TX#ab"), "ConsistentRead": True},
        )
        assert DynamoIndex(client=client, table="ledger").find("acme-corp", "ab") == "x"
