# SPDX-License-Identifier: Apache-2.0
"""What the functions' statements are made of: each Allow has actions and resources, none has a wildcard action."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from infra.constructs.evidence_bucket import RECORD_KEYS


def imported_arn(bucket: s3.IBucket) -> str:
    """How a finding names a bucket of another stack: by the export that its ARN is imported from."""
    owner = Stack.of(bucket)
    return str(owner.resolve(owner.export_value(bucket.bucket_arn))["Fn::ImportValue"])


def seal_and_read(bucket: s3.IBucket) -> list[iam.PolicyStatement]:
    """Writes records, create-only and locked, and reads every object."""
    return [
        # PutObject with lock headers also needs PutObjectRetention. Nothing but records can be written.
        allow(bucket.arn_for_objects(RECORD_KEYS), "s3:PutObject", "s3:PutObjectRetention"),
        # Where the bucket has come to want more than a record promises (docs/adr/0016).
        allow(bucket.bucket_arn, "s3:GetBucketObjectLockConfiguration"),
        read_objects(bucket),
    ]


def read_objects(bucket: s3.IBucket) -> iam.PolicyStatement:
    """Versions, with their locks."""
    return allow(bucket.arn_for_objects("*"), "s3:GetObject", "s3:GetObjectRetention", "s3:GetObjectVersion")


def list_versions(bucket: s3.IBucket) -> iam.PolicyStatement:
    """Versions, because a record behind a delete marker still counts (also as one beyond the head).

    ListBucket itself is for S3's answers about keys that do not exist: 404 with it, 403 without.
    """
    return allow(bucket.bucket_arn, "s3:ListBucket", "s3:ListBucketVersions")


def public_keys(keys: Sequence[kms.IKey]) -> list[iam.PolicyStatement]:
    """The public halves of the signing keys."""
    return [allow(key.key_arn, "kms:GetPublicKey") for key in keys]


def read_secret(secret: secretsmanager.ISecret) -> iam.PolicyStatement:
    """The master secret."""
    return allow(secret.secret_arn, "secretsmanager:GetSecretValue")


def allow(resource: str, *actions: str, conditions: dict[str, object] | None = None) -> iam.PolicyStatement:
    """These actions on one resource."""
    return iam.PolicyStatement(actions=list(actions), resources=[resource], conditions=conditions)
