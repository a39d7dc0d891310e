# SPDX-License-Identifier: Apache-2.0
"""Where S3 access logs and the deletion trail's files go. Nothing in here is evidence."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.config import LedgerConfig
from infra.nag import acknowledge, hipaa_and_nist


class LogsBucket(Construct):
    """Private bucket for logs, kept a year and a month so that a yearly audit finds the whole year."""

    def __init__(self, scope: Construct, construct_id: str, *, config: LedgerConfig) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            versioned=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=Duration.days(400),
                    noncurrent_version_expiration=Duration.days(30),
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                )
            ],
            removal_policy=config.removal_policy,
        )
        acknowledge(
            self.bucket,
            "S3 server access logging does not deliver to a bucket whose default encryption is SSE-KMS.",
            *hipaa_and_nist("S3DefaultEncryptionKMS"),
        )
        acknowledge(
            self.bucket,
            "Access logs are operational data; the evidence does not depend on a second copy of them.",
            *hipaa_and_nist("S3BucketReplicationEnabled"),
        )
