# SPDX-License-Identifier: Apache-2.0
"""What starts the anchor's rounds: schedules in a group, one role that may start them, a queue for what failed."""

from __future__ import annotations

import json

from aws_cdk import Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.config import LedgerConfig
from infra.nag import acknowledge, hipaa_and_nist


class AnchorSchedule(Construct):
    """``{"run": "news"}`` at the configured rate and ``{"run": "sweep"}`` every hour.

    EventBridge Scheduler's retries and its queue cover a start that Step Functions did not accept. A round that was
    started and then failed is repaired by the next one, and shows in the machine's ExecutionsFailed. One that is late
    may still run when the next one starts: they do not disturb each other.
    """

    def __init__(self, scope: Construct, construct_id: str, *, config: LedgerConfig, state_machine_arn: str) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=RemovalPolicy.DESTROY,
        )
        acknowledge(
            self.dead_letters,
            "This queue is the dead-letter queue itself.",
            "AwsSolutions-SQS3",
        )
        group = scheduler.CfnScheduleGroup(self, "Group", name=f"{config.ledger_name}-anchor")
        # Named rather than referenced, so that the trust policy can be exact without a cycle.
        group_arn = Stack.of(self).format_arn(
            service="scheduler", resource="schedule-group", resource_name=f"{config.ledger_name}-anchor"
        )
        self.role = iam.Role(
            self,
            "Role",
            description=f"Lets EventBridge Scheduler start the anchor of ledger '{config.ledger_name}'",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={
                    # Confused deputy: only this account's schedules, and of them only this group's.
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID, "aws:SourceArn": group_arn}
                },
            ),
            inline_policies={
                "start-anchor": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(actions=["states:StartExecution"], resources=[state_machine_arn]),
                        iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[self.dead_letters.queue_arn]),
                    ]
                )
            },
        )
        acknowledge(
            self.role,
            "The policy is inline because it belongs to this one schedule group.",
            *hipaa_and_nist("IAMNoInlinePolicy"),
        )
        for run, expression in (("news", config.anchor_rate), ("sweep", "rate(1 hour)")):
            schedule = scheduler.CfnSchedule(
                self,
                run.capitalize(),
                name=run,
                description=f"Indelible ledger '{config.ledger_name}': anchor, {run}",
                group_name=group.ref,
                schedule_expression=expression,
                flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
                target=scheduler.CfnSchedule.TargetProperty(
                    arn=state_machine_arn,
                    role_arn=self.role.role_arn,
                    input=json.dumps({"run": run}),
                    retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                        # A run that is late is worth less than the next one on time.
                        maximum_event_age_in_seconds=900,
                        maximum_retry_attempts=3,
                    ),
                    dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=self.dead_letters.queue_arn),
                ),
            )
            schedule.add_resource_dependency(group)
