# SPDX-License-Identifier: Apache-2.0
"""Who may do what: every statement of every function's role, in one table (G7).

Invariant: no statement here deletes an object, shortens or bypasses a retention, changes a bucket, or
signs. CDK's ``grant_*`` helpers are not used: they give more than the functions need.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
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
from infra.constructs.exports_bucket import FILE_KEYS, STATE_KEYS
from infra.nag import acknowledge


def record(*, bucket: s3.IBucket, table: dynamodb.ITable, secret: secretsmanager.ISecret) -> list[iam.PolicyStatement]:
    """Moves the head in one transaction, seals records, and looks for a record beyond the head."""
    return [
        # BatchGetItem for a batch that comes again with its idempotency key: its records may still be in the outbox.
        _allow(table.table_arn, "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
        *_seal_and_read(bucket),
        _list(bucket),
        _read_secret(secret),
    ]


def prove(
    *, bucket: s3.IBucket, table: dynamodb.ITable, secret: secretsmanager.ISecret, keys: Sequence[kms.IKey]
) -> list[iam.PolicyStatement]:
    """Reads versions and their locks, looks single items up by key."""
    return [
        _allow(table.table_arn, "dynamodb:GetItem"),
        _read_objects(bucket),
        _list(bucket),
        _read_secret(secret),
        *_public_keys(keys),
    ]


def verify(
    *, bucket: s3.IBucket, table: dynamodb.ITable, secret: secretsmanager.ISecret, keys: Sequence[kms.IKey]
) -> list[iam.PolicyStatement]:
    """As `prove`; and looks for whole runs of records in the outbox."""
    return [
        _allow(table.table_arn, "dynamodb:BatchGetItem", "dynamodb:GetItem"),
        _read_objects(bucket),
        _list(bucket),
        _read_secret(secret),
        *_public_keys(keys),
    ]


def tools(
    *, bucket: s3.IBucket, table: dynamodb.ITable, secret: secretsmanager.ISecret, keys: Sequence[kms.IKey]
) -> list[iam.PolicyStatement]:
    """The MCP endpoint has all three tools: what records, and what prove and verify read besides."""
    return [
        _allow(table.table_arn, "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
        *_seal_and_read(bucket),
        _list(bucket),
        _read_secret(secret),
        *_public_keys(keys),
    ]


def exporter(
    *,
    bucket: s3.IBucket,
    exports: s3.IBucket,
    table: dynamodb.ITable,
    secret: secretsmanager.ISecret,
    packs: lambda_.IFunction,
) -> list[iam.PolicyStatement]:
    """POST /v1/export: finds where a range ends, notes what was asked for, and signs addresses of finished exports."""
    return [
        _allow(table.table_arn, "dynamodb:GetItem"),
        _list(bucket),
        _read_secret(secret),
        _allow(exports.bucket_arn, "s3:ListBucket"),
        # The addresses that it signs can do what it can do: fetch one file.
        _allow(exports.arn_for_objects("*"), "s3:GetObject"),
        _allow(exports.arn_for_objects(STATE_KEYS), "s3:PutObject"),
        _allow(packs.function_arn, "lambda:InvokeFunction"),
    ]


def packer(*, bucket: s3.IBucket, exports: s3.IBucket, keys: Sequence[kms.IKey]) -> list[iam.PolicyStatement]:
    """Reads the evidence and writes exports. It knows no table and no secret, and writes nowhere else."""
    return [
        _read_objects(bucket),
        _list(bucket),
        *_public_keys(keys),
        _allow(exports.bucket_arn, "s3:ListBucket"),
        _allow(exports.arn_for_objects("*"), "s3:GetObject", "s3:GetObjectRetention"),
        _allow(exports.arn_for_objects(STATE_KEYS), "s3:PutObject"),
        iam.PolicyStatement(
            actions=["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectRetention"],
            resources=[exports.arn_for_objects(pattern) for pattern in FILE_KEYS],
        ),
    ]


def acknowledge_export_patterns(role: iam.Role, *, exports: s3.IBucket, packs: bool) -> None:
    """Say to cdk-nag why permissions on exports end in a pattern."""
    imported = _imported(exports)
    patterns = ("*", STATE_KEYS, *(FILE_KEYS if packs else ()))
    acknowledge(
        role,
        "Which organisations and exports there will be is not known when it is deployed; this bucket holds nothing "
        "else, each key begins with the organisation that was authenticated, and what is written is locked.",
        *(f"AwsSolutions-IAM5[Resource::{imported}/{pattern}]" for pattern in patterns),
    )


def published(*, bucket: s3.IBucket, keys: Sequence[kms.IKey]) -> list[iam.PolicyStatement]:
    """What anybody may know: that the bucket answers (HeadBucket), and the public halves of the signing keys."""
    return [
        _allow(bucket.bucket_arn, "s3:ListBucket"),
        _allow(
            bucket.bucket_arn,
            "s3:ListBucketVersions",
            conditions={"StringLike": {"s3:prefix": KEY_STATEMENTS}},
        ),
        _allow(bucket.arn_for_objects(KEY_STATEMENTS), "s3:GetObject", "s3:GetObjectVersion"),
        *_public_keys(keys),
    ]


def plan(*, table: dynamodb.ITable) -> list[iam.PolicyStatement]:
    """Reads who is registered and who has news, and notes when a round began.

    No record, no head, no organisation's settings; and nothing but that note lies where it may write.
    """
    return [
        _allow(
            table.table_arn,
            "dynamodb:GetItem",
            "dynamodb:Query",
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["_ORGS", "_NEWS#*"]}},
        ),
        _allow(
            table.table_arn,
            "dynamodb:PutItem",
            conditions={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["_LEDGER"]}},
        ),
    ]


def anchor(*, bucket: s3.IBucket, table: dynamodb.ITable, keys: Sequence[kms.IKey]) -> list[iam.PolicyStatement]:
    """Seals what the outbox still holds, re-reads the bucket, signs and publishes, and clears what is covered."""
    return [
        _allow(table.table_arn, "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
        # Batches clear outbox entries and repair the index by hash. A head, a log position or an
        # idempotency entry cannot be in one: those keys have another shape.
        _allow(
            table.table_arn,
            "dynamodb:BatchWriteItem",
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["*#OUTBOX#*", "*#TX#*"]}},
        ),
        *_seal_and_read(bucket),
        # The log's files: create-only and locked by the bucket's policy, but for the latest checkpoint.
        _allow(bucket.arn_for_objects(LOG_KEYS), "s3:PutObject", "s3:PutObjectRetention"),
        _list(bucket),
        # It alone may sign: each key's own policy says so too.
        *(_allow(key.key_arn, "kms:GetPublicKey", "kms:Sign") for key in keys),
    ]


def external(*, bucket: s3.IBucket, keys: Sequence[kms.IKey]) -> list[iam.PolicyStatement]:
    """Reads the ledger's own log, and stores beside it what others say of it. No record, no table, no signature."""
    return [
        _allow(bucket.arn_for_objects(LEDGER_KEYS), "s3:GetObject", "s3:GetObjectVersion"),
        # Below this prefix alone. So S3 says 403 and not 404 about an object that is not there: what is read without
        # a listing before it (statements of keys) was pinned by the step of the round before this function.
        _allow(
            bucket.bucket_arn,
            "s3:ListBucketVersions",
            conditions={"StringLike": {"s3:prefix": LEDGER_KEYS}},
        ),
        _allow(bucket.arn_for_objects(ANCHOR_KEYS), "s3:PutObject", "s3:PutObjectRetention"),
        _allow(bucket.arn_for_objects(LEDGER_CHECKPOINT), "s3:PutObject", "s3:PutObjectRetention"),
        *_public_keys(keys),
    ]


def acknowledge_ledger_patterns(role: iam.Role, *, bucket: s3.IBucket) -> None:
    """Say to cdk-nag why the permissions of the function for external anchoring end in patterns."""
    imported = _imported(bucket)
    acknowledge(
        role,
        "Reads the ledger's own log, which holds hashes alone, and writes only what others say of its checkpoints, "
        "which the bucket's policy makes create-only and locked.",
        f"AwsSolutions-IAM5[Resource::{imported}/{LEDGER_KEYS}]",
        f"AwsSolutions-IAM5[Resource::{imported}/{ANCHOR_KEYS}]",
    )


def acknowledge_key_patterns(role: iam.Role, *, bucket: s3.IBucket, seals: bool, signs: bool = False) -> None:
    """Say to cdk-nag why a role's object permissions end in a pattern: ``seals`` and ``signs`` for those that write."""
    imported = _imported(bucket)
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
        f"AwsSolutions-IAM5[Resource::{_imported(bucket)}/{KEY_STATEMENTS}]",
    )


def _imported(bucket: s3.IBucket) -> str:
    """How a finding names a bucket of another stack: by the export that its ARN is imported from."""
    owner = Stack.of(bucket)
    return str(owner.resolve(owner.export_value(bucket.bucket_arn))["Fn::ImportValue"])


def _seal_and_read(bucket: s3.IBucket) -> list[iam.PolicyStatement]:
    return [
        # PutObject with lock headers also needs PutObjectRetention. Nothing but records can be written.
        _allow(bucket.arn_for_objects(RECORD_KEYS), "s3:PutObject", "s3:PutObjectRetention"),
        # Where the bucket has come to want more than a record promises (docs/adr/0016).
        _allow(bucket.bucket_arn, "s3:GetBucketObjectLockConfiguration"),
        _read_objects(bucket),
    ]


def _read_objects(bucket: s3.IBucket) -> iam.PolicyStatement:
    return _allow(bucket.arn_for_objects("*"), "s3:GetObject", "s3:GetObjectRetention", "s3:GetObjectVersion")


def _list(bucket: s3.IBucket) -> iam.PolicyStatement:
    """Versions, because a record behind a delete marker still counts (also as one beyond the head).

    ListBucket itself is for S3's answers about keys that do not exist: 404 with it, 403 without.
    """
    return _allow(bucket.bucket_arn, "s3:ListBucket", "s3:ListBucketVersions")


def _public_keys(keys: Sequence[kms.IKey]) -> list[iam.PolicyStatement]:
    return [_allow(key.key_arn, "kms:GetPublicKey") for key in keys]


def _read_secret(secret: secretsmanager.ISecret) -> iam.PolicyStatement:
    return _allow(secret.secret_arn, "secretsmanager:GetSecretValue")


def _allow(resource: str, *actions: str, conditions: dict[str, object] | None = None) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=[resource], conditions=conditions)
