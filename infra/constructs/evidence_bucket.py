# SPDX-License-Identifier: Apache-2.0
"""The bucket that is the ledger: whatever can be proved, is proved from here alone (G1, G4, G7).

Invariant: an object version that was sealed stays readable and unaltered until its retention ends.
S3 Object Lock keeps that promise; the bucket policy closes the ways around it that Object Lock leaves
open, for every principal and whatever its identity policy allows. What is left to an administrator
is said at each statement.
"""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.config import LedgerConfig, LockMode
from infra.nag import acknowledge, hipaa_and_nist

#: `{org}/{YYYY}/{MM}/{DD}/{sequence}-{audit_id}.json`. In policies `*` spans slashes, `?` is one character.
RECORD_KEYS = "*/????/??/??/*.json"
#: The records of administrative acts: of the ledger's own organisation.
ADMIN_KEYS = "_admin/????/??/??/*.json"
#: The Merkle logs' files (c2sp.org/tlog-tiles).
LOG_KEYS = "*/_log/*"
#: The signing keys' statements, one for each generation; the deployment's functions need all of them to read the logs.
KEY_STATEMENTS = "_ledger/_log/keys/*"
#: The ledger's own log, and what others say of it.
LEDGER_KEYS = "_ledger/*"
ANCHOR_KEYS = "_ledger/_log/anchors/*"
LEDGER_CHECKPOINT = "_ledger/_log/checkpoint"
#: The only keys that ever get a second version: the latest checkpoint of each log.
CHECKPOINT_KEYS = ("*/_log/checkpoint", LEDGER_CHECKPOINT)
#: A record that could not be sealed at once is sealed later with the retain-until that it promises,
#: so the days that remain are then fewer than the retention. The bucket refuses only what no outage explains; what was
#: promised before the retention was raised by more than this is locked for longer than it promises (docs/adr/0016).
SEALING_GRACE_DAYS = 30


class EvidenceBucket(Construct):
    """Object Lock bucket, versioned, SSE-S3, private, create-only."""

    def __init__(self, scope: Construct, construct_id: str, *, config: LedgerConfig, logs: s3.IBucket) -> None:
        super().__init__(scope, construct_id)
        retention = Duration.days(config.retention_days)
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
            server_access_logs_bucket=logs,
            server_access_logs_prefix="s3-access/evidence/",
            # DESTROY deletes an empty bucket only. Nothing empties it: a function that can delete
            # evidence does not exist in this application, not even for development stages.
            removal_policy=config.removal_policy,
        )
        for statement in self._statements(config):
            self.bucket.add_to_resource_policy(statement)
        if config.is_prod and self.bucket.policy is not None:
            # A bucket that outlives its stack must not outlive its policy.
            self.bucket.policy.apply_removal_policy(RemovalPolicy.RETAIN)

        acknowledge(
            self.bucket,
            "SSE-S3 on purpose (docs/adr/0001): under a customer key, whoever may schedule that key's "
            "deletion could make every locked record unreadable, which is erasing the evidence.",
            *hipaa_and_nist("S3DefaultEncryptionKMS"),
        )
        acknowledge(
            self.bucket,
            "Replication needs a second bucket with its own Object Lock, usually in another account and "
            "Region, which is the customer's choice; S3 keeps each version in three or more zones.",
            *hipaa_and_nist("S3BucketReplicationEnabled"),
        )

    def _statements(self, config: LedgerConfig) -> list[iam.PolicyStatement]:
        every_key = self.bucket.arn_for_objects("*")
        statements = [
            # Create-only. Object Lock keeps the sealed version but lets a newer one be laid over it.
            # A request without the header is refused: PutObject, CopyObject, and with them multipart
            # uploads as a whole, since CreateMultipartUpload and UploadPart cannot carry it. Nothing
            # here needs parts: a record has 256 KiB at most. With the header, S3 answers 412 where the
            # key exists. (It looks at the current version only: behind a delete marker the key counts as
            # free. Delete markers are refused below, and verification reads versions.)
            _deny(
                "CreateOnly",
                ["s3:PutObject"],
                not_resources=[self.bucket.arn_for_objects(keys) for keys in CHECKPOINT_KEYS],
                conditions={"Null": {"s3:if-none-match": "true"}},
            ),
            # Replication into this bucket is a write and a delete that PutObject's conditions never see.
            _deny("NoReplicationInto", ["s3:ReplicateDelete", "s3:ReplicateObject"], resources=[every_key]),
            *_no_weaker_lock(self.bucket, lock_mode=config.lock_mode, retention_days=config.retention_days),
            # The same reason as SSE-S3 itself: an object under a key that someone can destroy or keep
            # to himself is evidence that can be erased. Records must say so themselves, so that a changed
            # default encryption changes nothing for them (a missing key counts as "not equal").
            _deny(
                "RecordsNameTheEncryption",
                ["s3:PutObject"],
                resources=[self.bucket.arn_for_objects(RECORD_KEYS)],
                conditions={"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}},
            ),
            _deny(
                "NoCustomerKeys",
                ["s3:PutObject"],
                resources=[every_key],
                conditions=_says_other_than("s3:x-amz-server-side-encryption", "AES256"),
            ),
            _deny(
                "NoCustomerProvidedKeys",
                ["s3:PutObject"],
                resources=[every_key],
                conditions={"Null": {"s3:x-amz-server-side-encryption-customer-algorithm": "false"}},
            ),
            # Puts what is stored under a KMS key without a PUT. S3 refuses it for what is locked in COMPLIANCE mode;
            # this is for what is not, or not any more.
            _deny("NoOtherEncryptionLater", ["s3:UpdateObjectEncryption"], resources=[every_key]),
        ]
        if config.hold_operators:
            # A legal hold is all that keeps a version once its retention has ended, and the permission that places it
            # is the one that releases it. No function has it. A caller that is no IAM principal (a missing key counts
            # as "not equal") is refused, too.
            statements.append(
                _deny(
                    "OnlyOperatorsHold",
                    ["s3:PutObjectLegalHold"],
                    resources=[every_key],
                    conditions={"StringNotEquals": {"aws:PrincipalArn": list(config.hold_operators)}},
                )
            )
        if config.is_prod:
            statements += _nobody_deletes(self.bucket)
        return statements


def _no_weaker_lock(bucket: s3.IBucket, *, lock_mode: LockMode, retention_days: int) -> list[iam.PolicyStatement]:
    """Explicit lock headers override the bucket's default retention, so they are held to it.

    A legal hold is on top of retention, and has a statement of its own where `hold_operators` is set.
    """
    every_key = bucket.arn_for_objects("*")
    statements = [
        # Records state their lock: the mode is part of what was hashed, and a PUT without the
        # header would be sealed under whatever the default happens to be that day. A missing key
        # counts as "not equal".
        _deny(
            "RecordsNameTheLock",
            ["s3:PutObject"],
            resources=[bucket.arn_for_objects(RECORD_KEYS)],
            conditions={"StringNotEquals": {"s3:object-lock-mode": lock_mode}},
        ),
        _deny(
            "NoOtherLockMode",
            ["s3:PutObject"],
            resources=[every_key],
            conditions=_says_other_than("s3:object-lock-mode", lock_mode),
        ),
        # Setting retention afterwards; a request that would clear it carries no mode and is refused too.
        _deny(
            "NoOtherRetentionMode",
            ["s3:PutObjectRetention"],
            resources=[every_key],
            conditions={"StringNotEquals": {"s3:object-lock-mode": lock_mode}},
        ),
    ]
    # What is written is locked for the whole time. Afterwards a lock can only be lengthened, by any time: S3 itself
    # refuses to shorten one in COMPLIANCE mode. In GOVERNANCE mode a principal that may bypass it could, so that there
    # every change is held to the same floor, and a record that is old by then cannot be kept a little longer.
    actions = ["s3:PutObject", *(["s3:PutObjectRetention"] if lock_mode == "GOVERNANCE" else [])]
    shortest = retention_days - SEALING_GRACE_DAYS
    if shortest >= 1:
        statements.append(
            _deny(
                "NoShorterLock",
                actions,
                resources=[every_key],
                conditions={"NumericLessThan": {"s3:object-lock-remaining-retention-days": str(shortest)}},
            )
        )
    return statements


def _nobody_deletes(bucket: s3.IBucket) -> list[iam.PolicyStatement]:
    """Statements for production, where no principal deletes.

    What they cannot do: bind someone who may write the bucket policy, or the root user, for whom S3
    always allows it. Such a person can remove this policy and then put delete markers or newer versions
    over records (which verification reports as SHADOWED) but in COMPLIANCE mode still cannot delete or
    alter a locked version; closing the whole account is the way that remains. The change itself is a
    CloudTrail management event. A service control policy is the place to bind administrators.
    """
    return [
        _deny(
            "NobodyDeletes",
            ["s3:BypassGovernanceRetention", "s3:DeleteObject", "s3:DeleteObjectVersion"],
            resources=[bucket.arn_for_objects("*")],
        ),
        # Lifecycle rules act as S3 itself, past every policy: an expiry rule would put delete markers
        # over the whole ledger. None is set anywhere in this application.
        # (s3:PutBucketObjectLockConfiguration is left to the deployer, who needs it to lengthen
        # retention_days: each record names its own lock, and the statements above hold it to the mode.)
        _deny(
            "NobodyUndermines",
            ["s3:DeleteBucket", "s3:PutLifecycleConfiguration"],
            resources=[bucket.bucket_arn],
        ),
    ]


def _says_other_than(key: str, value: str) -> dict[str, object]:
    """The request carries the key, with another value.

    Not ``StringNotEqualsIfExists``: a missing key makes that one true, and a Deny would refuse every
    request that leaves the header out.
    """
    return {"Null": {key: "false"}, "StringNotEquals": {key: value}}


def _deny(
    sid: str,
    actions: list[str],
    *,
    resources: list[str] | None = None,
    not_resources: list[str] | None = None,
    conditions: dict[str, object] | None = None,
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid,
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=actions,
        resources=resources,
        not_resources=not_resources,
        conditions=conditions,
    )
