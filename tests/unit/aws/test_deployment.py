# SPDX-License-Identifier: Apache-2.0
"""AwsDeployment: of two ledgers in one account, the one that was asked for; in every partition of AWS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from indelible.aws.deployment import AwsDeployment

WATCHED = {"Namespace": "Indelible", "MetricName": "AnchorLagSeconds", "Statistic": "Maximum", "Period": 300}
WHEN = {"EvaluationPeriods": 1, "Threshold": 900, "ComparisonOperator": "GreaterThanOrEqualToThreshold"}


class Stacks:
    """CloudFormation, as far as it says what is in a stack; page by page."""

    def __init__(self, resources: Mapping[str, Sequence[str]]) -> None:
        self._resources = resources

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 -- as boto3 has it
        output = {"OutputKey": "BucketName", "OutputValue": f"{StackName}-bucket"}
        return {"Stacks": [{"StackName": StackName, "Outputs": [output]}]}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_stack_resources"
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, *, StackName: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        yield {"StackResourceSummaries": [{"ResourceType": "AWS::SNS::Topic", "PhysicalResourceId": "topic"}]}
        for name in self._resources[StackName]:
            yield {"StackResourceSummaries": [{"ResourceType": "AWS::CloudWatch::Alarm", "PhysicalResourceId": name}]}


@pytest.fixture
def cloudwatch() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("cloudwatch", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")


def deployed(cloudwatch: Any, name: str, *alarms: str) -> AwsDeployment:
    for alarm in alarms:
        cloudwatch.put_metric_alarm(AlarmName=alarm, **WATCHED, **WHEN)
    clients = {"cloudformation": Stacks({f"{name}-anchor": alarms}), "cloudwatch": cloudwatch}
    return AwsDeployment(clients=clients.__getitem__, ledger_name=name)


def test_another_ledger_s_alarms_are_not_this_one_s(cloudwatch: Any) -> None:
    one = deployed(cloudwatch, "indelible", "indelible-AnchorLag", "indelible-OutboxAge")
    other = deployed(cloudwatch, "indelible-eu", "indelible-eu-AnchorLag")
    assert set(one.alarms()) == {"indelible-AnchorLag", "indelible-OutboxAge"}
    assert set(other.alarms()) == {"indelible-eu-AnchorLag"}
    cloudwatch.delete_alarms(AlarmNames=["indelible-AnchorLag"])
    assert set(one.alarms()) == {"indelible-OutboxAge"}


def test_a_stack_without_alarms_has_none(cloudwatch: Any) -> None:
    deployed(cloudwatch, "indelible-eu", "indelible-eu-AnchorLag")
    assert deployed(cloudwatch, "indelible").alarms() == {}


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-central-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_references_are_filled_in_for_the_partition_of_the_region(region: str, partition: str) -> None:
    body = {
        "Resources": {
            "Evidence": {"Type": "AWS::S3::Bucket", "Properties": {}},
            "Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {
                    "Bucket": {"Ref": "Evidence"},
                    "PolicyDocument": {"Statement": [{"Resource": {"Fn::GetAtt": ["Evidence", "Arn"]}}]},
                },
            },
        }
    }
    client = boto3.client("cloudformation", region_name=region, aws_access_key_id="x", aws_secret_access_key="x")
    bucket = "trial-ledger-bucket"
    cloudformation = Stacks({})
    cloudformation.meta = client.meta  # type: ignore[attr-defined]
    cloudformation.get_template = lambda **_: {"TemplateBody": body}  # type: ignore[attr-defined]
    named = {"LogicalResourceId": "Evidence", "PhysicalResourceId": bucket}
    cloudformation.get_paginator = lambda _: SimpleNamespace(  # type: ignore[method-assign]
        paginate=lambda **_: [{"StackResourceSummaries": [named]}]
    )
    clients = {
        "cloudformation": cloudformation,
        "sts": SimpleNamespace(get_caller_identity=lambda: {"Account": "123456789012"}),
        "s3": SimpleNamespace(get_bucket_policy=lambda **_: {"Policy": '{"Statement": []}'}),
    }
    (statement,) = AwsDeployment(clients=clients.__getitem__, ledger_name="trial").bucket_policy().wanted
    assert statement["Resource"] == f"arn:{partition}:s3:::{bucket}"
