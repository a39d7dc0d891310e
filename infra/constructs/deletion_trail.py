# SPDX-License-Identifier: Apache-2.0
"""Records attempts to delete evidence or to change its retention or legal hold; counts those that must not happen.

Cheap on purpose: CloudTrail's advanced selectors filter by event name before anything is recorded, and a
ledger that is left alone has but one such event a month for each statement of a signing key.
"""

from __future__ import annotations

from aws_cdk import Aws, Stack
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.config import LedgerConfig
from infra.metrics import METRIC_NAMESPACE, denied_deletes_name
from infra.nag import acknowledge, hipaa_and_nist

#: Retention and bypass: a delete that bypasses GOVERNANCE is a DeleteObject(s) event; shortening a
#: retention, with or without bypass, is PutObjectRetention. The functions set retention within
#: PutObject; only the anchor sends PutObjectRetention, to keep a key's statement longer (docs/adr/0013),
#: and what succeeds of those does not count.
_WATCHED_EVENTS = ["DeleteObject", "DeleteObjects", "PutObjectRetention", "PutObjectLegalHold"]
_PREFIX = "cloudtrail"


class DeletionTrail(Construct):
    """A trail for the evidence bucket's deletes only; a metric counts deletes and refused retention changes."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: LedgerConfig, evidence: s3.IBucket, logs_bucket: s3.Bucket
    ) -> None:
        super().__init__(scope, construct_id)
        name = f"{config.ledger_name}-deletions"
        trail_arn = Stack.of(self).format_arn(service="cloudtrail", resource="trail", resource_name=name)
        self._admit_cloudtrail(logs_bucket, trail_arn)

        log_group = logs.LogGroup(
            self,
            "Events",
            retention=config.log_retention,
            removal_policy=config.removal_policy,
        )
        role = iam.Role(
            self,
            "Role",
            description=f"Lets CloudTrail write the deletion events of ledger '{config.ledger_name}'",
            assumed_by=iam.ServicePrincipal(
                "cloudtrail.amazonaws.com", conditions={"StringEquals": {"aws:SourceArn": trail_arn}}
            ),
            inline_policies={
                "write-events": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                            resources=[log_group.log_group_arn],
                        )
                    ]
                )
            },
        )
        trail = cloudtrail.CfnTrail(
            self,
            "Trail",
            trail_name=name,
            is_logging=True,
            s3_bucket_name=logs_bucket.bucket_name,
            s3_key_prefix=_PREFIX,
            enable_log_file_validation=True,
            cloud_watch_logs_log_group_arn=log_group.log_group_arn,
            cloud_watch_logs_role_arn=role.role_arn,
            advanced_event_selectors=[
                cloudtrail.CfnTrail.AdvancedEventSelectorProperty(
                    name="Deletes and retention changes on the evidence bucket",
                    field_selectors=[
                        _field("eventCategory", equal_to=["Data"]),
                        _field("resources.type", equal_to=["AWS::S3::Object"]),
                        _field("resources.ARN", starts_with=[f"{evidence.bucket_arn}/"]),
                        _field("eventName", equal_to=_WATCHED_EVENTS),
                    ],
                )
            ],
        )
        # CloudTrail tries both of its destinations while it is being created.
        trail.node.add_dependency(role, *([logs_bucket.policy] if logs_bucket.policy else []))

        logs.MetricFilter(
            self,
            "DeniedDeletes",
            log_group=log_group,
            # Bucket policy and Object Lock both refuse with AccessDenied. Deletes count whatever their
            # outcome: a batch (which is what the console sends) answers 200 and refuses key by key, and
            # a delete that was not refused is the worse case. A change of retention counts when it was
            # refused: COMPLIANCE mode and the bucket policy let through only what locks longer.
            filter_pattern=logs.FilterPattern.literal(
                '{ ($.errorCode = "AccessDenied*") || ($.eventName = "DeleteObject*") }'
            ),
            metric_namespace=METRIC_NAMESPACE,
            metric_name=denied_deletes_name(config),
            metric_value="1",
            default_value=0,
        )
        acknowledge(
            role,
            "The policy is inline because it belongs to this one trail.",
            *hipaa_and_nist("IAMNoInlinePolicy"),
        )
        acknowledge(
            log_group,
            "Holds the metadata of refused and accepted deletes (who, when, which key), no record bytes; "
            "CloudWatch encrypts it at rest under its own key.",
            *hipaa_and_nist("CloudWatchLogGroupEncrypted"),
        )
        acknowledge(
            trail,
            "Event metadata in a private SSE-S3 bucket; a customer key would add a key whose loss hides who "
            "tried to delete. Files are signed by CloudTrail's own validation digests.",
            *hipaa_and_nist("CloudTrailEncryptionEnabled"),
        )

    def _admit_cloudtrail(self, bucket: s3.Bucket, trail_arn: str) -> None:
        cloudtrail_service = iam.ServicePrincipal("cloudtrail.amazonaws.com")
        own_files = bucket.arn_for_objects(f"{_PREFIX}/AWSLogs/{Aws.ACCOUNT_ID}/*")
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="TrailChecksAcl",
                principals=[cloudtrail_service],
                actions=["s3:GetBucketAcl"],
                resources=[bucket.bucket_arn],
                conditions={"StringEquals": {"aws:SourceArn": trail_arn}},
            )
        )
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="TrailWritesItsFiles",
                principals=[cloudtrail_service],
                actions=["s3:PutObject"],
                resources=[own_files],
                conditions={"StringEquals": {"aws:SourceArn": trail_arn, "s3:x-amz-acl": "bucket-owner-full-control"}},
            )
        )


def _field(name: str, **operators: list[str]) -> cloudtrail.CfnTrail.AdvancedFieldSelectorProperty:
    return cloudtrail.CfnTrail.AdvancedFieldSelectorProperty(field=name, **operators)
