# SPDX-License-Identifier: Apache-2.0
"""What runs on schedule, what catches a start that failed, and what rings."""

from __future__ import annotations

import json

import pytest

from infra.config import LedgerConfig
from tests.infra.synth import Json, Synthesized, as_list, synthesize


def test_two_schedules_start_rounds(prod: Synthesized, dev: Synthesized) -> None:
    for synthesized, rate in ((prod, "rate(5 minutes)"), (dev, "rate(1 minute)")):
        found = {}
        for _, resource in synthesized.resources("AWS::Scheduler::Schedule"):
            schedule = synthesized.render(resource["Properties"])
            target = schedule["Target"]
            found[schedule["ScheduleExpression"]] = json.loads(target["Input"])
            assert target["Arn"] == "<WorkflowStateMachine>"
            assert target["RoleArn"] == "<ScheduleRole.Arn>"
            assert target["DeadLetterConfig"] == {"Arn": "<ScheduleDeadLetters.Arn>"}
            assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 900, "MaximumRetryAttempts": 3}
            assert schedule["GroupName"] == "<ScheduleGroup>"
        assert found == {rate: {"run": "news"}, "rate(1 hour)": {"run": "sweep"}}


def test_only_this_groups_schedules_can_use_the_role(prod: Synthesized) -> None:
    role = prod.one("AWS::IAM::Role", "ScheduleRole")["Properties"]
    (statement,) = prod.render(role["AssumeRolePolicyDocument"]["Statement"])
    group = prod.one("AWS::Scheduler::ScheduleGroup")["Properties"]["Name"]
    assert statement["Condition"] == {
        "StringEquals": {
            "aws:SourceAccount": "<AWS::AccountId>",
            "aws:SourceArn": f"arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule-group/{group}",
        }
    }


def test_the_dead_letter_queue_is_encrypted_and_speaks_tls_only(prod: Synthesized) -> None:
    queue = prod.one("AWS::SQS::Queue")["Properties"]
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == 14 * 86_400
    statements = prod.one("AWS::SQS::QueuePolicy")["Properties"]["PolicyDocument"]["Statement"]
    assert [(s["Effect"], s["Action"], s["Condition"]) for s in statements] == [
        ("Deny", "sqs:*", {"Bool": {"aws:SecureTransport": "false"}})
    ]


def test_no_function_of_a_round_is_invoked_without_somebody_who_waits_for_it(prod: Synthesized) -> None:
    assert not list(prod.resources("AWS::Lambda::EventInvokeConfig", "anchor"))


def alarms(synthesized: Synthesized) -> dict[str, Json]:
    prefix = f"{synthesized.name}-"
    return {
        a["Properties"]["AlarmName"].removeprefix(prefix): a["Properties"]
        for _, a in synthesized.resources("AWS::CloudWatch::Alarm")
    }


@pytest.mark.parametrize(
    ("name", "metric", "threshold"),
    [
        ("AnchorLag", "AnchorLagSeconds", 900),
        ("OutboxAge", "OutboxAgeSeconds", 900),
        ("AnchorFailures", "AnchorFailures", 1),
        ("LedgerLag", "LedgerLagSeconds", 900),
        ("HeadRegressed", "HeadRegressed", 1),
        ("BrokenChain", "BrokenChain", 1),
        ("ShadowedRecords", "ShadowedRecords", 1),
        ("ForeignFiles", "ForeignFiles", 1),
    ],
)
def test_alarms_on_the_functions_own_metrics(prod: Synthesized, name: str, metric: str, threshold: int) -> None:
    alarm = alarms(prod)[name]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("Indelible", metric)
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "indelible"}]
    assert alarm["Threshold"] == threshold
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    # One organisation's failed run may be mended by the next; the hourly sweep tells whether it was.
    assert (alarm["EvaluationPeriods"], alarm["Period"]) == ((2, 3600) if name == "AnchorFailures" else (1, 300))


def test_alarms_on_what_aws_measures(prod: Synthesized) -> None:
    found = alarms(prod)
    assert prod.render(found["DeadLetters"]["Dimensions"]) == [
        {"Name": "QueueName", "Value": "<ScheduleDeadLetters.QueueName>"}
    ]
    assert found["DeadLetters"]["Threshold"] == 1
    assert (found["ServerErrors"]["Namespace"], found["ServerErrors"]["MetricName"]) == (
        "AWS/ApiGateway",
        "5xx",
    )
    assert prod.render(found["ServerErrors"]["Dimensions"]) == [{"Name": "ApiId", "Value": "<HttpApi>"}]
    assert found["DeniedDeletes"]["Threshold"] == 1
    assert prod.render(found["AnchorErrors"]["Dimensions"]) == [{"Name": "FunctionName", "Value": "<AnchorFunction>"}]


@pytest.mark.parametrize(
    ("name", "metric"), [("AnchorSilent", "ExecutionsSucceeded"), ("RoundsFailed", "ExecutionsFailed")]
)
def test_alarms_on_rounds(prod: Synthesized, name: str, metric: str) -> None:
    alarm = prod.render(alarms(prod)[name])
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/States", metric)
    assert alarm["Dimensions"] == [{"Name": "StateMachineArn", "Value": "<WorkflowStateMachine>"}]
    assert alarm["Threshold"] == 1


def test_rounds_that_do_not_come_to_their_end_ring(prod: Synthesized) -> None:
    alarm = alarms(prod)["AnchorSilent"]
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["ComparisonOperator"] == "LessThanThreshold"
    # The hourly sweep runs whatever anchor_rate says.
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 7200


def test_every_alarm_reaches_the_topic_and_says_what_it_means(prod: Synthesized) -> None:
    for name, alarm in alarms(prod).items():
        assert prod.render(alarm["AlarmActions"]) == ["<AlarmsTopic>"], name
        assert len(alarm["AlarmDescription"]) > 40, name


def test_lateness_is_measured_in_runs(tmp_path_factory: pytest.TempPathFactory) -> None:
    hourly = synthesize(tmp_path_factory.mktemp("hourly"), LedgerConfig(anchor_rate="rate(1 hour)"))
    assert alarms(hourly)["AnchorLag"]["Threshold"] == 3 * 3600


def test_the_e_mail_address_is_subscribed_where_there_is_one(prod: Synthesized, dev: Synthesized) -> None:
    (subscription,) = (s["Properties"] for _, s in prod.resources("AWS::SNS::Subscription"))
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")
    assert not list(dev.resources("AWS::SNS::Subscription"))


def test_cloudwatch_may_publish_and_only_over_tls(prod: Synthesized) -> None:
    statements = prod.one("AWS::SNS::TopicPolicy")["Properties"]["PolicyDocument"]["Statement"]
    effects = {s["Effect"]: s for s in prod.render(statements)}
    assert effects["Allow"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert as_list(effects["Allow"]["Action"]) == ["sns:Publish"]
    assert effects["Allow"]["Condition"] == {"StringEquals": {"aws:SourceAccount": "<AWS::AccountId>"}}
    assert effects["Deny"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_dashboard_shows_what_the_functions_emit(prod: Synthesized) -> None:
    dashboard = prod.one("AWS::CloudWatch::Dashboard")["Properties"]
    body = prod.render(dashboard["DashboardBody"])
    for metric in (
        "RecordsAppended",
        "RecordsAnchored",
        "CheckpointsLogged",
        "LedgerLagSeconds",
        "LostRaces",
        "SealFailures",
        "HeadRegressed",
        "BrokenChain",
        "ShadowedRecords",
        "ForeignFiles",
        "AnchorFailures",
        "UnexpectedErrors",
        "AnchorLagSeconds",
        "OutboxAgeSeconds",
        "DeniedDeletes-indelible",
        "5xx",
    ):
        assert f'"{metric}"' in body, metric
