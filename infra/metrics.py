# SPDX-License-Identifier: Apache-2.0
"""The metrics that the functions emit (EMF), by name, so that alarms and the dashboard cannot drift apart."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.config import LedgerConfig

METRIC_NAMESPACE = "Indelible"


def ledger_metric(
    config: LedgerConfig, name: str, *, statistic: str, period: Duration | None = None
) -> cloudwatch.Metric:
    """One metric of one ledger: namespace ``Indelible``, dimension ``service`` = the ledger's name."""
    return cloudwatch.Metric(
        namespace=METRIC_NAMESPACE,
        metric_name=name,
        dimensions_map={"service": config.ledger_name},
        statistic=statistic,
        period=period or Duration.minutes(5),
    )


def api_metric(api_id: str, name: str, *, statistic: str) -> cloudwatch.Metric:
    """One metric of the HTTP API."""
    return cloudwatch.Metric(
        namespace="AWS/ApiGateway",
        metric_name=name,
        dimensions_map={"ApiId": api_id},
        statistic=statistic,
        period=Duration.minutes(5),
    )


def round_metric(state_machine_arn: str, name: str, *, period: Duration) -> cloudwatch.Metric:
    """How many of the anchor's rounds began or ended in one way: ``ExecutionsSucceeded`` and so on."""
    return cloudwatch.Metric(
        namespace="AWS/States",
        metric_name=name,
        dimensions_map={"StateMachineArn": state_machine_arn},
        statistic="Sum",
        period=period,
    )


def denied_deletes_metric(config: LedgerConfig) -> cloudwatch.Metric:
    """Attempts to delete evidence and refused changes of its retention, counted from the deletion trail."""
    return cloudwatch.Metric(
        namespace=METRIC_NAMESPACE,
        metric_name=denied_deletes_name(config),
        statistic="Sum",
        period=Duration.minutes(5),
    )


def denied_deletes_name(config: LedgerConfig) -> str:
    """The ledger's name is in the metric's name: a filter with a default value cannot have dimensions."""
    return f"DeniedDeletes-{config.ledger_name}"
