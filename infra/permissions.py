# SPDX-License-Identifier: Apache-2.0
"""Who may do what: every statement of every function's role, in one table (G7); exports' are in a second one.

Invariant: no statement here deletes an object, shortens or bypasses a retention, changes a bucket, or
signs. CDK's ``grant_*`` helpers are not used: they give more than the functions need.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from infra.constructs.evidence_bucket import (
    ANCHOR_KEYS,
    KEY_STATEMENTS,
    LEDGER_CHECKPOINT,
    LEDGER_KEYS,
    LOG_KEYS,
    RECORD_KEYS,
)
from infra.nag import acknowledge
from infra.statements import (
    allow,
    imported_arn,
    list_versions,
    public_keys,
    read_objects,
    read_secret,
    seal_and_read,
)


def record(*, bucket: s3.IBucket, table: dynamodb.ITable, secret: secretsmanager.ISecret) -> list[iam.PolicyStatement]:
    """Moves the head in one transaction, seals records, and looks for a record beyond the head."""
    return [
        # BatchGetItem for a batch that comes again with its idempotency key: its records may still be in the outbox.
        allow(table.table_arn, "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
        *seal_and_read(bucket),
        list_versions(bucket),
        read_secret(secret),
    ]


def prove(
    *, bucket: s3.IBucket, table: dynamodb.ITable, secret: secretsmanager.ISecret, keys: Sequence[kms.IKey]
) -> list[iam.PolicyStatement]:
    """Reads versions and their locks, looks single items up by key."""
    return [
        allow(table.table_arn, "dynamodb:GetItem"),
        read_objects(bucket),
        list_versions(bucket),
        read_secret(secret),
        *public_keys(keys),
    ]


def verify(
    *, bucket: s3.IBucket, table: dynamodb.ITable, secret: secretsmanager.ISecret, keys: Sequence[kms.IKey]
) -> list[iam.PolicyStatement]:
    """As `prove`; and looks for whole runs of records in the outbox."""
    return [
        allow(table.table_arn, "dynamodb:BatchGetItem", "dynamodb:GetItem"),
        read_objects(bucket),
        list_versions(bucket),
        read_secret(secret),
        *public_keys(keys),
    ]


def tools(
    *, bucket: s3.IBucket, table: dynamodb.ITable, secret: secretsmanager.ISecret, keys: Sequence[kms.IKey]
) -> list[iam.PolicyStatement]:
    """The MCP endpoint has all three tools: what records, and what prove and verify read besides."""
    return [
        allow(table.table_arn, "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
        *seal_and_read(bucket),
        list_versions(bucket),
        read_secret(secret),
        *public_keys(keys),
    ]


def published(*, bucket: s3.IBucket, keys: Sequence[kms.IKey]) -> list[iam.PolicyStatement]:
    """What is public: that the bucket answers (HeadBucket), and the public halves of the signing keys."""
    return [
        allow(bucket.bucket_arn, "s3:ListBucket"),
        allow(
            bucket.bucket_arn,
            "s3:ListBucketVersions",
            conditions={"StringLike": {"s3:prefix": KEY_STATEMENTS}},
        ),
        allow(bucket.arn_for_objects(KEY_STATEMENTS), "s3:GetObject", "s3:GetObjectVersion"),
        *public_keys(keys),
    ]


def plan(*, table: dynamodb.ITable) -> list[iam.PolicyStatement]:
    """Reads who is registered and who has news, and notes when a round began.

    No record, no head, no organisation's settings; and only that note is where it may write.
    """
    return [
        allow(
            table.table_arn,
            "dynamodb:GetItem",
            "dynamodb:Query",
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["_ORGS", "_NEWS#*"]}},
        ),
        allow(
            table.table_arn,
            "dynamodb:PutItem",
            conditions={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["_LEDGER"]}},
        ),
    ]


def anchor(*, bucket: s3.IBucket, table: dynamodb.ITable, keys: Sequence[kms.IKey]) -> list[iam.PolicyStatement]:
    """Seals what the outbox still holds, re-reads the bucket, signs and publishes, and clears what is covered."""
    return [
        allow(table.table_arn, "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
        # Batches clear outbox entries and repair the index by hash. A head, a log position or an
        # idempotency entry cannot be in one: those keys have another shape.
        allow(
            table.table_arn,
            "dynamodb:BatchWriteItem",
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["*#OUTBOX#*", "*#TX#*"]}},
        ),
        *seal_and_read(bucket),
        # The log's files: create-only and locked by the bucket's policy, but for the latest checkpoint.
        allow(bucket.arn_for_objects(LOG_KEYS), "s3:PutObject", "s3:PutObjectRetention"),
        list_versions(bucket),
        # It alone may sign: each key's own policy says so too.
        *(allow(key.key_arn, "kms:GetPublicKey", "kms:Sign") for key in keys),
    ]


def external(*, bucket: s3.IBucket, keys: Sequence[kms.IKey]) -> list[iam.PolicyStatement]:
    """Reads the ledger's own log, and stores the external anchors of it. No record, no table, no signature."""
    return [
        allow(bucket.arn_for_objects(LEDGER_KEYS), "s3:GetObject", "s3:GetObjectVersion"),
        # Below this prefix alone. So S3 says 403 and not 404 about an object that is not there, or behind a delete
        # marker; the adapter takes both for the same, and lists.
        allow(
            bucket.bucket_arn,
            "s3:ListBucketVersions",
            conditions={"StringLike": {"s3:prefix": LEDGER_KEYS}},
        ),
        allow(bucket.arn_for_objects(ANCHOR_KEYS), "s3:PutObject", "s3:PutObjectRetention"),
        allow(bucket.arn_for_objects(LEDGER_CHECKPOINT), "s3:PutObject", "s3:PutObjectRetention"),
        *public_keys(keys),
    ]


def acknowledge_ledger_patterns(role: iam.Role, *, bucket: s3.IBucket) -> None:
    """Say to cdk-nag why the permissions of the function for external anchoring end in patterns."""
    imported = imported_arn(bucket)
    acknowledge(
        role,
        "Reads the ledger's own log, which holds hashes alone, and writes only what others say of its checkpoints, "
        "which the bucket's policy makes create-only and locked.",
        f"AwsSolutions-IAM5[Resource::{imported}/{LEDGER_KEYS}]",
        f"AwsSolutions-IAM5[Resource::{imported}/{ANCHOR_KEYS}]",
    )


def acknowledge_key_patterns(role: iam.Role, *, bucket: s3.IBucket, seals: bool, signs: bool = False) -> None:
    """Say to cdk-nag why a role's object permissions end in a pattern: ``seals`` and ``signs`` for those that write."""
    imported = imported_arn(bucket)
    acknowledge(
        role,
        "Reads any object of this one bucket: which organisations and records there will be is not known "
        "when it is deployed, and a verifier that cannot read everything cannot tell that something is missing.",
        f"AwsSolutions-IAM5[Resource::{imported}/*]",
    )
    if signs:
        acknowledge(
            role,
            "Writes only below the _log/ of an organisation, in this one bucket, whose policy makes them create-only "
            "and locked, but for the latest checkpoint.",
            f"AwsSolutions-IAM5[Resource::{imported}/{LOG_KEYS}]",
        )
    if seals:
        acknowledge(
            role,
            "Writes only keys that have the shape of a record, in this one bucket, whose policy makes them "
            "create-only and locked.",
            f"AwsSolutions-IAM5[Resource::{imported}/{RECORD_KEYS}]",
        )


def acknowledge_key_statements(role: iam.Role, *, bucket: s3.IBucket) -> None:
    """The same for the role that reads no more than how the signing keys were introduced."""
    acknowledge(
        role,
        "Reads the statements of the ledger's signing keys, one for each generation, which are public.",
        f"AwsSolutions-IAM5[Resource::{imported_arn(bucket)}/{KEY_STATEMENTS}]",
    )
