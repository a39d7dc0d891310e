# SPDX-License-Identifier: Apache-2.0
"""Who may do what with exports, and what is put on record of them (G7); the rest of the table is `infra.permissions`.

Invariant: of the evidence bucket nothing is written but records of administrative acts, and by one of the two alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from infra.constructs.evidence_bucket import ADMIN_KEYS
from infra.constructs.exports_bucket import FILE_KEYS, STATE_KEYS
from infra.nag import acknowledge
from infra.statements import allow, imported_arn, list_versions, public_keys, read_objects, read_secret


def exporter(
    *,
    bucket: s3.IBucket,
    exports: s3.IBucket,
    table: dynamodb.ITable,
    secret: secretsmanager.ISecret,
    packs: lambda_.IFunction,
) -> list[iam.PolicyStatement]:
    """POST /v1/export: puts on record who asks, notes what was asked for, and signs addresses of finished exports."""
    return [
        allow(table.table_arn, "dynamodb:GetItem"),
        # No address without a record of it (docs/adr/0019): it appends to the chain of administrative acts, and to no
        # other.
        allow(
            table.table_arn,
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["_admin", "_admin#*", "_NEWS#*"]}},
        ),
        allow(
            bucket.arn_for_objects(ADMIN_KEYS),
            "s3:GetObjectRetention",
            "s3:GetObjectVersion",
            "s3:PutObject",
            "s3:PutObjectRetention",
        ),
        allow(bucket.bucket_arn, "s3:GetBucketObjectLockConfiguration"),
        list_versions(bucket),
        read_secret(secret),
        allow(exports.bucket_arn, "s3:ListBucket"),
        # The addresses that it signs can do what it can do: fetch one file.
        allow(exports.arn_for_objects("*"), "s3:GetObject"),
        allow(exports.arn_for_objects(STATE_KEYS), "s3:PutObject"),
        allow(packs.function_arn, "lambda:InvokeFunction"),
    ]


def packer(*, bucket: s3.IBucket, exports: s3.IBucket, keys: Sequence[kms.IKey]) -> list[iam.PolicyStatement]:
    """Reads the evidence and writes exports. It knows no table and no secret, and writes nowhere else."""
    return [
        read_objects(bucket),
        list_versions(bucket),
        *public_keys(keys),
        allow(exports.bucket_arn, "s3:ListBucket"),
        allow(exports.arn_for_objects("*"), "s3:GetObject", "s3:GetObjectRetention"),
        allow(exports.arn_for_objects(STATE_KEYS), "s3:PutObject"),
        iam.PolicyStatement(
            actions=["s3:AbortMultipartUpload", "s3:PutObject", "s3:PutObjectRetention"],
            resources=[exports.arn_for_objects(pattern) for pattern in FILE_KEYS],
        ),
    ]


def acknowledge_admin_patterns(role: iam.Role, *, bucket: s3.IBucket) -> None:
    """The same for the records of administrative acts."""
    acknowledge(
        role,
        "Writes only keys that have the shape of a record in the ledger's own organisation, in this one bucket, whose "
        "policy makes them create-only and locked.",
        f"AwsSolutions-IAM5[Resource::{imported_arn(bucket)}/{ADMIN_KEYS}]",
    )


def acknowledge_export_patterns(role: iam.Role, *, exports: s3.IBucket, packs: bool) -> None:
    """Say to cdk-nag why permissions on exports end in a pattern."""
    imported = imported_arn(exports)
    patterns = ("*", STATE_KEYS, *(FILE_KEYS if packs else ()))
    acknowledge(
        role,
        "Which organisations and exports there will be is not known when it is deployed; this bucket holds nothing "
        "else, each key begins with the organisation that was authenticated, and what is written is locked.",
        *(f"AwsSolutions-IAM5[Resource::{imported}/{pattern}]" for pattern in patterns),
    )
