# SPDX-License-Identifier: Apache-2.0
"""The operator's dashboard: whether the ledger records, whether it is anchored, whether evidence was touched."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.config import LedgerConfig
from infra.metrics import api_metric, denied_deletes_metric, ledger_metric

_WAITING = ("TimestampWaitSeconds", "CalendarWaitSeconds", "WitnessWaitSeconds", "PendingProofSeconds")


class LedgerDashboard(Construct):
    """CloudWatch dashboard named after the ledger and its Region: dashboards share one list in an account."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: LedgerConfig,
        api_id: str,
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, construct_id)

        def sums(*names: str) -> list[cloudwatch.IMetric]:
            return [ledger_metric(config, name, statistic="Sum") for name in names]

        def longest(*names: str) -> list[cloudwatch.IMetric]:
            return [ledger_metric(config, name, statistic="Maximum") for name in names]

        def graph(title: str, metrics: list[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
            return cloudwatch.GraphWidget(title=title, left=metrics, width=8, height=6)

        touched = sums("HeadRegressed", "BrokenChain", "ShadowedRecords", "ForeignFiles")
        if config.watch_deletes:
            touched.append(denied_deletes_metric(config))
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=f"{config.ledger_name}-{Aws.REGION}")
        dashboard.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=list(alarms), width=24, height=3))
        dashboard.add_widgets(
            graph("Records", sums("RecordsAppended", "RecordsAnchored", "RecordsExported", "CheckpointsLogged")),
            graph(
                "Contention and errors",
                sums("LostRaces", "SealFailures", "AnchorFailures", "ExportFailures", "UnexpectedErrors"),
            ),
            graph("Touched: all of these stay at zero", touched),
        )
        dashboard.add_widgets(
            graph("Behind (seconds)", longest("AnchorLagSeconds", "OutboxAgeSeconds", "LedgerLagSeconds")),
            graph("Requests", [api_metric(api_id, name, statistic="Sum") for name in ("Count", "4xx", "5xx")]),
            graph(
                "Latency (ms)",
                [api_metric(api_id, "Latency", statistic=percentile) for percentile in ("p50", "p99")],
            ),
        )
        if config.external_anchors:
            dashboard.add_widgets(
                graph("External anchors: waiting (seconds)", longest(*_WAITING)),
                graph("External anchors: failures", sums("TimestampFailures", "CalendarFailures", "WitnessFailures")),
                graph("External anchors: witnessed, and in conflict", sums("Witnessed", "WitnessConflicts")),
            )
