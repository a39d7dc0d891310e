# SPDX-License-Identifier: Apache-2.0
"""Least privilege (G7): each role has exactly what is written here, and no role has what is forbidden."""

from __future__ import annotations

import fnmatch
from typing import Any

import pytest

from tests.infra.synth import Synthesized, as_list

TABLE = "<LedgerTable.Arn>"
BUCKET = "<EvidenceBucket.Arn>"
RECORDS = f"{BUCKET}/*/????/??/??/*.json"
LOGS = f"{BUCKET}/*/_log/*"
ACTS = f"{BUCKET}/_admin/????/??/??/*.json"
SECRET = "<MasterSecret>"
EXPORTS = "<ExportsBucket.Arn>"
KEY = "<SigningKey.Arn>"

STATES = "arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>"
#: What Step Functions needs to log at all; CloudWatch Logs knows no resources for it.
LOG_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)

LIST = ("s3:ListBucket", "s3:ListBucketVersions")
SEAL = ("s3:PutObject", "s3:PutObjectRetention")
READ_OBJECTS = ("s3:GetObject", "s3:GetObjectRetention", "s3:GetObjectVersion")
READER = {
    (f"{BUCKET}/*", READ_OBJECTS),
    (BUCKET, LIST),
    (SECRET, ("secretsmanager:GetSecretValue",)),
    (KEY, ("kms:GetPublicKey",)),
}


def logs_of(group: str) -> tuple[str, tuple[str, ...]]:
    return (f"<{group}.Arn>", ("logs:CreateLogStream", "logs:PutLogEvents"))


EXPECTED: dict[str, set[tuple[str, tuple[str, ...]]]] = {
    "RecordRole": {
        logs_of("RecordLogs"),
        (TABLE, ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")),
        (RECORDS, SEAL),
        (f"{BUCKET}/*", READ_OBJECTS),
        (BUCKET, ("s3:GetBucketObjectLockConfiguration", *LIST)),
        (SECRET, ("secretsmanager:GetSecretValue",)),
    },
    "ProveRole": {logs_of("ProveLogs"), (TABLE, ("dynamodb:GetItem",))} | READER,
    "VerifyRole": {logs_of("VerifyLogs"), (TABLE, ("dynamodb:BatchGetItem", "dynamodb:GetItem"))} | READER,
    "McpRole": {
        logs_of("McpLogs"),
        (TABLE, ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")),
        (RECORDS, SEAL),
        (f"{BUCKET}/*", READ_OBJECTS),
        (BUCKET, ("s3:GetBucketObjectLockConfiguration", *LIST)),
        (SECRET, ("secretsmanager:GetSecretValue",)),
        (KEY, ("kms:GetPublicKey",)),
    },
    "ExportRole": {
        logs_of("ExportLogs"),
        (TABLE, ("dynamodb:GetItem",)),
        (TABLE, ("dynamodb:PutItem", "dynamodb:UpdateItem")),
        (ACTS, ("s3:GetObjectRetention", "s3:GetObjectVersion", *SEAL)),
        (BUCKET, ("s3:GetBucketObjectLockConfiguration", *LIST)),
        (SECRET, ("secretsmanager:GetSecretValue",)),
        (EXPORTS, ("s3:ListBucket",)),
        (f"{EXPORTS}/*", ("s3:GetObject",)),
        (f"{EXPORTS}/*/state.json", ("s3:PutObject",)),
        ("<ExportsPackFunction.Arn>", ("lambda:InvokeFunction",)),
    },
    "ExportsPackRole": {
        logs_of("ExportsPackLogs"),
        (f"{BUCKET}/*", READ_OBJECTS),
        (BUCKET, LIST),
        (KEY, ("kms:GetPublicKey",)),
        (EXPORTS, ("s3:ListBucket",)),
        (f"{EXPORTS}/*", ("s3:GetObject", "s3:GetObjectRetention")),
        (f"{EXPORTS}/*/state.json", ("s3:PutObject",)),
        *((f"{EXPORTS}/*.{kind}", ("s3:AbortMultipartUpload", *SEAL)) for kind in ("csv", "jsonl", "pdf", "zip")),
    },
    "MetaRole": {
        logs_of("MetaLogs"),
        (BUCKET, ("s3:ListBucket",)),
        (BUCKET, ("s3:ListBucketVersions",)),
        (f"{BUCKET}/_ledger/_log/keys/*", ("s3:GetObject", "s3:GetObjectVersion")),
        (KEY, ("kms:GetPublicKey",)),
    },
    "AnchorRole": {
        logs_of("AnchorLogs"),
        (TABLE, ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query")),
        (TABLE, ("dynamodb:BatchWriteItem",)),
        (RECORDS, SEAL),
        (LOGS, SEAL),
        (KEY, ("kms:GetPublicKey", "kms:Sign")),
        (f"{BUCKET}/*", READ_OBJECTS),
        (BUCKET, ("s3:GetBucketObjectLockConfiguration", *LIST)),
    },
    "PlanRole": {
        logs_of("PlanLogs"),
        (TABLE, ("dynamodb:GetItem", "dynamodb:Query")),
        (TABLE, ("dynamodb:PutItem",)),
    },
    "WorkflowRole": {
        ("<AnchorFunction.Arn>", ("lambda:InvokeFunction",)),
        ("<PlanFunction.Arn>", ("lambda:InvokeFunction",)),
        (f"{STATES}:stateMachine:indelible-anchor", ("states:StartExecution",)),
        (f"{STATES}:execution:indelible-anchor:*", ("states:DescribeExecution", "states:StopExecution")),
        ("*", LOG_DELIVERY),
    },
    "ScheduleRole": {
        ("<WorkflowStateMachine>", ("states:StartExecution",)),
        ("<ScheduleDeadLetters.Arn>", ("sqs:SendMessage",)),
    },
    "DeletionTrailRole": {logs_of("DeletionTrailEvents")},
}

FORBIDDEN = (
    "s3:Delete*",
    "s3:BypassGovernanceRetention",
    "s3:PutBucket*",
    "s3:PutObjectLegalHold",
    "s3:PutLifecycleConfiguration",
    "s3:PutEncryptionConfiguration",
    "s3:PutReplicationConfiguration",
    "dynamodb:DeleteItem",
    "dynamodb:DeleteTable",
    "dynamodb:UpdateTable",
    "dynamodb:Scan",
    "kms:Create*",
    "kms:Put*",
    "kms:Schedule*",
    "kms:Disable*",
    "iam:*",
    "secretsmanager:Put*",
    "secretsmanager:Update*",
    "secretsmanager:Delete*",
)
WRITES = ("s3:Put*", "s3:Delete*", "dynamodb:Put*", "dynamodb:Update*", "dynamodb:Delete*", "dynamodb:BatchWrite*")


def actions(statements: list[dict[str, Any]]) -> set[str]:
    return {action for statement in statements for action in as_list(statement["Action"])}


def test_each_role_has_exactly_what_is_listed(prod: Synthesized) -> None:
    found = {
        role: {(r, tuple(sorted(as_list(s["Action"])))) for s in statements for r in as_list(s["Resource"])}
        for role, statements in prod.roles().items()
    }
    assert found == EXPECTED


def test_every_function_has_a_role_of_its_own(prod: Synthesized) -> None:
    roles = [prod.render(f["Properties"]["Role"]) for _, f in prod.resources("AWS::Lambda::Function")]
    assert len(roles) == 9
    assert len(set(roles)) == 9


def test_conditions_confine_batches_acts_what_the_planner_reads_and_the_public_listing(
    prod: Synthesized,
) -> None:
    conditional = {
        role: [(s["Action"], s["Condition"]) for s in statements if "Condition" in s]
        for role, statements in prod.roles().items()
    }
    assert {role: found for role, found in conditional.items() if found} == {
        "AnchorRole": [("dynamodb:BatchWriteItem", leading("*#OUTBOX#*", "*#TX#*"))],
        "ExportRole": [(["dynamodb:PutItem", "dynamodb:UpdateItem"], leading("_admin", "_admin#*", "_NEWS#*"))],
        "MetaRole": [("s3:ListBucketVersions", {"StringLike": {"s3:prefix": "_ledger/_log/keys/*"}})],
        "PlanRole": [
            (["dynamodb:GetItem", "dynamodb:Query"], leading("_ORGS", "_NEWS#*")),
            ("dynamodb:PutItem", {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["_LEDGER"]}}),
        ],
    }


def leading(*keys: str) -> dict[str, Any]:
    return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(keys)}}


@pytest.mark.parametrize("forbidden", FORBIDDEN)
def test_no_role_at_all_may(prod: Synthesized, dev: Synthesized, forbidden: str) -> None:
    for synthesized in (prod, dev):
        for role, statements in synthesized.roles().items():
            for action in actions(statements):
                assert not fnmatch.fnmatchcase(action, forbidden), f"{role}: {action}"


def test_only_the_anchor_signs_and_only_it_writes_to_the_log(prod: Synthesized) -> None:
    for role, statements in prod.roles().items():
        writes = {r for s in statements for r in as_list(s["Resource"]) if "s3:PutObject" in as_list(s["Action"])}
        assert ("kms:Sign" in actions(statements)) == (LOGS in writes) == (role == "AnchorRole"), role


def test_no_role_has_a_wildcard_action_or_the_resource_of_everything(prod: Synthesized) -> None:
    for role, statements in prod.roles().items():
        for statement in statements:
            assert "NotAction" not in statement
            assert "NotResource" not in statement
            assert not any("*" in action for action in as_list(statement["Action"])), role
            if tuple(statement["Action"]) == LOG_DELIVERY:
                continue
            for resource in as_list(statement["Resource"]):
                assert resource.startswith(("<", STATES)), f"{role}: {resource} begins with no known ARN"


@pytest.mark.parametrize("role", ["ProveRole", "VerifyRole", "MetaRole", "WorkflowRole"])
def test_what_only_reads_cannot_write(prod: Synthesized, role: str) -> None:
    for action in actions(prod.roles()[role]):
        assert not any(fnmatch.fnmatchcase(action, write) for write in WRITES), action


def test_exports_touch_no_evidence_but_to_say_who_asked(prod: Synthesized) -> None:
    for role, besides in (("ExportRole", {ACTS, TABLE}), ("ExportsPackRole", set())):
        written = {
            resource
            for statement in prod.roles()[role]
            for resource in as_list(statement["Resource"])
            if any(fnmatch.fnmatchcase(action, write) for action in as_list(statement["Action"]) for write in WRITES)
        }
        assert besides < written
        assert all(resource.startswith(f"{EXPORTS}/") for resource in written - besides)


def test_the_anchor_cannot_read_the_master_secret(prod: Synthesized) -> None:
    assert not any(action.startswith("secretsmanager:") for action in actions(prod.roles()["AnchorRole"]))


def test_no_resource_policy_or_grant_widens_what_the_roles_say(prod: Synthesized) -> None:
    # grant_* helpers would leave their traces here: key grants, secret policies, table policies.
    assert not list(prod.resources("AWS::SecretsManager::ResourcePolicy"))
    assert "ResourcePolicy" not in prod.one("AWS::DynamoDB::Table")["Properties"]


def test_only_services_assume_the_roles(prod: Synthesized) -> None:
    services = {}
    for logical_id, role in prod.resources("AWS::IAM::Role"):
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        services[logical_id[:-8]] = statement["Principal"]["Service"]
        if statement["Principal"]["Service"] != "lambda.amazonaws.com":
            condition = statement["Condition"]
            assert "aws:SourceArn" in condition["StringEquals"] | condition.get("ArnLike", {}), logical_id
            assert condition["StringEquals"].get("aws:SourceAccount") or "Trail" in logical_id
    assert services == {
        "RecordRole": "lambda.amazonaws.com",
        "ProveRole": "lambda.amazonaws.com",
        "VerifyRole": "lambda.amazonaws.com",
        "McpRole": "lambda.amazonaws.com",
        "ExportRole": "lambda.amazonaws.com",
        "ExportsPackRole": "lambda.amazonaws.com",
        "MetaRole": "lambda.amazonaws.com",
        "AnchorRole": "lambda.amazonaws.com",
        "PlanRole": "lambda.amazonaws.com",
        "WorkflowRole": "states.amazonaws.com",
        "ScheduleRole": "scheduler.amazonaws.com",
        "DeletionTrailRole": "cloudtrail.amazonaws.com",
    }
