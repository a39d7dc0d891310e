# SPDX-License-Identifier: Apache-2.0
"""The alarms of a ledger, and the topic that they notify.

Invariant: every alarm tells of a broken promise, or of one that is about to break; its description
says which, and what to read next.
"""

from __future__ import annotations

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.config import LedgerConfig
from infra.metrics import api_metric, denied_deletes_metric, ledger_metric, round_metric
from infra.nag import acknowledge, hipaa_and_nist

_NOTHING_IS_FINE = cloudwatch.TreatMissingData.NOT_BREACHING
_NOTHING_IS_BAD = cloudwatch.TreatMissingData.BREACHING
_WAIT_SECONDS = 3 * 3600
_PENDING_SECONDS = 48 * 3600


class LedgerAlarms(Construct):
    """Alarms of one ledger, each acting on one SNS topic, with e-mail where an address is configured."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: LedgerConfig,
        api_id: str,
        state_machine_arn: str,
        anchor: lambda_.IFunction,
        dead_letters: sqs.IQueue,
        external: lambda_.IFunction | None = None,
    ) -> None:
        """``external``: the function for external anchoring, where a provider is configured."""
        super().__init__(scope, construct_id)
        self._config = config
        self.alarms: list[cloudwatch.Alarm] = []
        self.topic = sns.Topic(self, "Topic", display_name=f"Indelible ledger '{config.ledger_name}'", enforce_ssl=True)
        acknowledge(
            self.topic,
            "CloudWatch cannot publish to a topic under the AWS managed key, and what is published is an "
            "alarm's name, threshold and state: nothing of the ledger.",
            *hipaa_and_nist("SNSEncryptedKMS"),
        )
        # A topic with a policy of its own, which enforce_ssl gives it, loses SNS's default statement for the
        # owner, and CloudWatch published under that one.
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsPublish",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        if config.alarm_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(config.alarm_email))

        # Three missed runs, a quarter of an hour at least; a cron expression has no period to multiply.
        late = max(900, 3 * (config.anchor_period_seconds or 86_400))
        self._alarm(
            "AnchorLag",
            ledger_metric(config, "AnchorLagSeconds", statistic="Maximum"),
            threshold=late,
            why="Committed records have not been re-read from the bucket and anchored for too long.",
        )
        self._alarm(
            "AnchorSilent",
            round_metric(state_machine_arn, "ExecutionsSucceeded", period=Duration.hours(1)),
            threshold=1,
            below=True,
            periods=2,
            missing=_NOTHING_IS_BAD,
            why="No round of the anchor has come to its end for two hours, not even the hourly sweep: look at its "
            "schedules, and at the executions of its state machine.",
        )
        self._alarm(
            "RoundsFailed",
            round_metric(state_machine_arn, "ExecutionsFailed", period=Duration.minutes(15)),
            threshold=1,
            periods=3,
            why="Rounds of the anchor failed as a whole in three quarters of an hour on end; the next round repairs "
            "one failure, not this. The state machine's executions name the step and the error.",
        )
        self._alarm(
            "AnchorErrors",
            anchor.metric_errors(period=Duration.minutes(15), statistic="Sum"),
            threshold=1,
            periods=3,
            why="The anchor function failed in three quarters of an hour on end; what it was asked to do is tried "
            "again in the next round, and that does not help.",
        )
        self._alarm(
            "AnchorFailures",
            ledger_metric(config, "AnchorFailures", statistic="Sum", period=Duration.hours(1)),
            threshold=1,
            periods=2,
            why="The anchor's run failed for an organisation hour after hour, while others go on; the summaries and "
            "logs name it and the error code.",
        )
        self._alarm(
            "OutboxAge",
            ledger_metric(config, "OutboxAgeSeconds", statistic="Maximum"),
            threshold=late,
            why="A committed record waited too long in the outbox before it was sealed in the bucket.",
        )
        self._alarm(
            "LedgerLag",
            ledger_metric(config, "LedgerLagSeconds", statistic="Maximum"),
            threshold=late,
            why="A published checkpoint has waited too long for the ledger's own log: no external anchor can cover it.",
        )
        self._alarm(
            "DeadLetters",
            dead_letters.metric_approximate_number_of_messages_visible(period=Duration.minutes(5), statistic="Maximum"),
            threshold=1,
            why="EventBridge Scheduler could not start a round of the anchor; the queue's messages say why.",
        )
        self._alarm(
            "ServerErrors",
            api_metric(api_id, "5xx", statistic="Sum"),
            threshold=5,
            why="The API answered at least five requests with 5xx within five minutes.",
        )
        self._alarm(
            "HeadRegressed",
            ledger_metric(config, "HeadRegressed", statistic="Sum"),
            threshold=1,
            why="The bucket holds a record beyond the table's head: the table went back in time, and recording "
            "for that organisation stops until it is rebuilt from the bucket.",
        )
        self._alarm(
            "BrokenChain",
            ledger_metric(config, "BrokenChain", statistic="Sum"),
            threshold=1,
            why="The anchor read a record that does not continue its organisation's chain: evidence was "
            "altered, hidden or is missing. Run verify for that organisation.",
        )
        self._alarm(
            "ShadowedRecords",
            ledger_metric(config, "ShadowedRecords", statistic="Sum"),
            threshold=1,
            why="A delete marker or a newer version lies over a sealed record. The record itself is intact: verify "
            "reads versions; find out who wrote past the bucket policy.",
        )
        self._alarm(
            "ForeignFiles",
            ledger_metric(config, "ForeignFiles", statistic="Sum"),
            threshold=1,
            why="A file that the ledger did not sign has the name of a checkpoint or of a key statement: somebody "
            "wrote past the bucket policy. The log goes on around it; verify reports it.",
        )
        if external is not None:
            self._watch_external(config, external)
        if config.watch_deletes:
            self._alarm(
                "DeniedDeletes",
                denied_deletes_metric(config),
                threshold=1,
                why="Someone tried to delete evidence, or was refused a change of its retention; the deletion "
                "trail's log group names the principal and the outcome.",
            )

    def _watch_external(self, config: LedgerConfig, external: lambda_.IFunction) -> None:
        self._alarm(
            "ExternalErrors",
            external.metric_errors(period=Duration.minutes(15), statistic="Sum"),
            threshold=1,
            periods=3,
            why="External anchoring failed in three quarters of an hour on end, before any provider was asked.",
        )
        if config.timestamp_authorities:
            self._alarm(
                "TimestampWait",
                ledger_metric(config, "TimestampWaitSeconds", statistic="Maximum"),
                threshold=_WAIT_SECONDS,
                why="A timestamp authority has given no token for three hours of checkpoints; the log says which.",
            )
        if config.calendars:
            self._alarm(
                "CalendarWait",
                ledger_metric(config, "CalendarWaitSeconds", statistic="Maximum"),
                threshold=_WAIT_SECONDS,
                why="An OpenTimestamps calendar has taken nothing for three hours of checkpoints; the log says which.",
            )
            self._alarm(
                "PendingProof",
                ledger_metric(config, "PendingProofSeconds", statistic="Maximum", period=Duration.hours(1)),
                threshold=_PENDING_SECONDS,
                why="A calendar has not completed a proof for two days, and is asked for a week.",
            )
        if config.witnesses:
            self._alarm(
                "WitnessWait",
                ledger_metric(config, "WitnessWaitSeconds", statistic="Maximum"),
                threshold=_WAIT_SECONDS,
                why="A witness has cosigned nothing for three hours of checkpoints; the log says which.",
            )
            self._alarm(
                "WitnessConflicts",
                ledger_metric(config, "WitnessConflicts", statistic="Sum"),
                threshold=1,
                why="A witness holds a tree of this ledger that the newest checkpoint does not continue: two "
                "histories were signed, or the witness has gone wrong. Compare the checkpoints before anything else.",
            )

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        *,
        threshold: float,
        why: str,
        below: bool = False,
        periods: int = 1,
        missing: cloudwatch.TreatMissingData = _NOTHING_IS_FINE,
    ) -> None:
        operator = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._config.ledger_name}-{name}",
            alarm_description=why,
            metric=metric,
            threshold=threshold,
            comparison_operator=(
                operator.LESS_THAN_THRESHOLD if below else operator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
            ),
            evaluation_periods=periods,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        self.alarms.append(alarm)
