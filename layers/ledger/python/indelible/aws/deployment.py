# SPDX-License-Identifier: Apache-2.0
"""Deployment on CloudFormation, S3, KMS, Scheduler, Step Functions, CloudWatch, Secrets Manager and STS.

What AWS refuses to answer is not a failure of the ledger: it becomes CannotTell, with the message of AWS.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from indelible.aws.error_map import code_of
from indelible.aws.stack_outputs import stack_outputs
from indelible.aws.template import Template
from indelible.domain import instants
from indelible.domain.anchors import safe_name
from indelible.errors import NotFound
from indelible.ports.deployment import BucketSettings, CannotTell, Policy, Promised, SigningKeyState, Statement

Clients = Callable[[str], Any]
"""boto3's client of a service. Each check makes those that it needs."""


class AwsDeployment:
    """The ledger of this name. Raises NotFound when there is none. IAM: cloudformation:DescribeStacks."""

    def __init__(self, *, clients: Clients, ledger_name: str) -> None:
        self._clients = clients
        self._name = ledger_name
        self._outputs = stack_outputs(clients("cloudformation"), f"{ledger_name}-ledger")
        self._bucket = self._outputs["BucketName"]

    @property
    def promised(self) -> Promised:
        """From the outputs that were read at the start."""
        return Promised(self._outputs["LockMode"], int(self._outputs["RetentionDays"]))

    def bucket(self) -> BucketSettings:
        """GetObjectLockConfiguration, GetBucketVersioning.

        IAM: s3:GetBucketObjectLockConfiguration, s3:GetBucketVersioning.
        """
        s3 = self._clients("s3")
        with _asking({"ObjectLockConfigurationNotFoundError"}) as absent:
            found = s3.get_object_lock_configuration(Bucket=self._bucket).get("ObjectLockConfiguration", {})
        if absent:
            found = {}
        with _asking():
            versioned = s3.get_bucket_versioning(Bucket=self._bucket).get("Status") == "Enabled"
        default = found.get("Rule", {}).get("DefaultRetention", {})
        days = default.get("Days", default.get("Years", 0) * 365) if default else None
        return BucketSettings(found.get("ObjectLockEnabled") == "Enabled", default.get("Mode"), days, versioned)

    def bucket_policy(self) -> Policy:
        """GetTemplate, ListStackResources, GetBucketPolicy.

        IAM: cloudformation:GetTemplate, cloudformation:ListStackResources, s3:GetBucketPolicy.
        """
        wanted = self._template().bucket_policy(self._bucket)
        with _asking({"NoSuchBucketPolicy"}) as absent:
            deployed = _statements(self._clients("s3").get_bucket_policy(Bucket=self._bucket)["Policy"])
        return Policy(wanted, () if absent else deployed)

    def public_access(self) -> Mapping[str, bool]:
        """GetPublicAccessBlock. IAM: s3:GetBucketPublicAccessBlock."""
        with _asking({"NoSuchPublicAccessBlockConfiguration"}) as absent:
            answer = self._clients("s3").get_public_access_block(Bucket=self._bucket)
        return {} if absent else dict(answer["PublicAccessBlockConfiguration"])

    def signing_keys(self) -> Sequence[SigningKeyState]:
        """DescribeKey. IAM: kms:DescribeKey."""
        with _asking():
            found = [self._clients("kms").describe_key(KeyId=key_id)["KeyMetadata"] for key_id in self._key_ids()]
        return [SigningKeyState(key["KeyId"], key["KeyState"], key["KeySpec"]) for key in found]

    def key_policy(self, key_id: str) -> Policy:
        """GetTemplate, ListStackResources, GetKeyPolicy.

        IAM: cloudformation:GetTemplate, cloudformation:ListStackResources, kms:GetKeyPolicy.
        """
        wanted = self._template().key_policy(key_id)
        with _asking():
            deployed = self._clients("kms").get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]
        return Policy(wanted, _statements(deployed))

    def schedules(self) -> Mapping[str, bool]:
        """ListSchedules. IAM: scheduler:ListSchedules."""
        with _asking({"ResourceNotFoundException"}) as absent:
            pages = (
                self._clients("scheduler").get_paginator("list_schedules").paginate(GroupName=f"{self._name}-anchor")
            )
            found = {one["Name"]: one["State"] == "ENABLED" for page in pages for one in page["Schedules"]}
        return {} if absent else found

    def last_round(self) -> tuple[str, int] | None:
        """DescribeStacks, ListExecutions. IAM: cloudformation:DescribeStacks, states:ListExecutions."""
        arn = self._anchor_outputs().get("AnchorStateMachineArn")
        if arn is None:
            raise CannotTell("the anchor's stack names no state machine")
        with _asking():
            found = self._clients("stepfunctions").list_executions(stateMachineArn=arn, maxResults=1)["executions"]
        return (found[0]["status"], instants.from_datetime(found[0]["startDate"])) if found else None

    def alarms(self) -> Mapping[str, str]:
        """ListStackResources, DescribeAlarms. IAM: cloudformation:ListStackResources, cloudwatch:DescribeAlarms.

        By the resources of the stack, not by prefix: the name of another ledger may begin with this one's.
        """
        with _asking():
            resources = self._resources(f"{self._name}-anchor")
            names = [one["PhysicalResourceId"] for one in resources if one["ResourceType"] == "AWS::CloudWatch::Alarm"]
            if not names:  # without names, all alarms of the account are described
                return {}
            # A ledger has some twenty; a request can have a hundred.
            found = self._clients("cloudwatch").describe_alarms(AlarmNames=names, MaxRecords=100)["MetricAlarms"]
            return {one["AlarmName"]: one["StateValue"] for one in found}

    def has_secret(self) -> bool:
        """DescribeSecret. IAM: secretsmanager:DescribeSecret."""
        with _asking({"ResourceNotFoundException"}) as absent:
            found = self._clients("secretsmanager").describe_secret(SecretId=self._outputs["SecretArn"])
        return not absent and "DeletedDate" not in found

    def clock_ms(self) -> int:
        """GetCallerIdentity, which needs no permission, for the `Date` of the answer (RFC 9110 §6.6.1)."""
        with _asking():
            answer = self._clients("sts").get_caller_identity()
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        if date is None:
            raise CannotTell("the answer of STS has no Date header")
        return instants.from_datetime(parsedate_to_datetime(date)) + 500  # a Date is cut to whole seconds

    def external_tracks(self) -> Sequence[str]:
        """DescribeStacks, GetFunctionConfiguration.

        IAM: cloudformation:DescribeStacks, lambda:GetFunctionConfiguration.
        """
        name = self._anchor_outputs().get("ExternalFunctionName")
        if name is None:
            return []
        with _asking():
            found = self._clients("lambda").get_function_configuration(FunctionName=name)
        named = json.loads(found.get("Environment", {}).get("Variables", {}).get("INDELIBLE_EXTERNAL_ANCHORS") or "{}")
        tracks = [f"rfc3161-{authority}" for authority in named.get("timestamp_authorities", {})]
        tracks += [f"ots-{calendar}" for calendar in named.get("calendars", {})]
        return tracks + [f"witness-{safe_name(key.partition('+')[0])}" for key in named.get("witnesses", {})]

    def _key_ids(self) -> list[str]:
        return self._outputs["SigningKeyIds"].split(",")

    def _anchor_outputs(self) -> dict[str, str]:
        with _asking():
            try:
                return stack_outputs(self._clients("cloudformation"), f"{self._name}-anchor")
            except NotFound as error:
                raise CannotTell(error.message) from None

    def _resources(self, stack: str) -> list[Any]:
        pages = self._clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        return [one for page in pages for one in page["StackResourceSummaries"]]

    def _template(self) -> Template:
        cloudformation, stack = self._clients("cloudformation"), f"{self._name}-ledger"
        with _asking():
            body = cloudformation.get_template(StackName=stack)["TemplateBody"]
            physical = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in self._resources(stack)}
            account = self._clients("sts").get_caller_identity()["Account"]
        body = json.loads(body) if isinstance(body, str) else body
        meta = cloudformation.meta
        return Template(body, physical, account=account, region=meta.region_name, partition=meta.partition)


def _statements(policy: str) -> list[Statement]:
    found: list[Statement] = json.loads(policy)["Statement"]
    return found


@contextmanager
def _asking(absent: frozenset[str] | set[str] = frozenset()) -> Iterator[list[str]]:
    """Raise CannotTell for errors of AWS. Of the codes `absent`, which mean "there is none", yield a list instead."""
    found: list[str] = []
    try:
        yield found
    except ClientError as error:
        if code_of(error) not in absent:
            raise CannotTell(f"AWS: {error}") from error
        found.append(code_of(error))
    except BotoCoreError as error:
        raise CannotTell(f"AWS: {error}") from error
