# SPDX-License-Identifier: Apache-2.0
"""Where finished exports wait to be fetched. Copies of the evidence, locked for some days and then gone.

Invariant: a caller that was given the SHA-256 of an export gets exactly these bytes for as long as it is kept, and no
copy of an organisation's records is kept here for longer than that.
"""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.config import LedgerConfig
from infra.nag import acknowledge, hipaa_and_nist

#: What is noted about an export. The export endpoint may write this, and nothing else.
STATE_KEYS = "*/state.json"
#: The exports themselves, which only the function that packs may write: bundles and views.
FILE_KEYS = ("*.csv", "*.jsonl", "*.pdf", "*.zip")


def exports_days(config: LedgerConfig) -> int:
    """How long an export is kept and locked."""
    return 7 if config.is_prod else 1


class ExportsBucket(Construct):
    """Object Lock bucket, versioned, SSE-S3, private; every version goes within days of its lock's end.

    In a versioned bucket an expiration lays a delete marker, a day after the lock has ended; the version below it
    counts as noncurrent from then, and goes a day later. The marker that is left goes by the same rule.
    (CloudFormation refuses a rule that has ExpiredObjectDeleteMarker alone, although S3 takes one.)
    """

    def __init__(self, scope: Construct, construct_id: str, *, config: LedgerConfig, logs: s3.IBucket) -> None:
        super().__init__(scope, construct_id)
        days = exports_days(config)
        retention = Duration.days(days)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            object_lock_enabled=True,
            object_lock_default_retention=(
                s3.ObjectLockRetention.compliance(retention)
                if config.lock_mode == "COMPLIANCE"
                else s3.ObjectLockRetention.governance(retention)
            ),
            versioned=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            # Who fetched which export, and when: one line for each download.
            server_access_logs_bucket=logs,
            server_access_logs_prefix="s3-access/exports/",
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=Duration.days(days + 1),
                    noncurrent_version_expiration=Duration.days(1),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
            removal_policy=config.removal_policy,
        )
        acknowledge(
            self.bucket,
            "Copies of records that lie in the evidence bucket under SSE-S3 for the reason that is given there; what "
            "may read the originals may read these.",
            *hipaa_and_nist("S3DefaultEncryptionKMS"),
        )
        acknowledge(
            self.bucket,
            "An export that is lost is made again from the evidence, byte for byte.",
            *hipaa_and_nist("S3BucketReplicationEnabled"),
        )
