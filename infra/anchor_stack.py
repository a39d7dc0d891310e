# SPDX-License-Identifier: Apache-2.0
"""What runs on schedule, and what watches the whole ledger. Stateless."""

from __future__ import annotations

from aws_cdk import CfnOutput, Duration, Stack
from constructs import Construct

from infra import permissions
from infra.api_stack import ApiStack
from infra.bundling import Bundling
from infra.config import LedgerConfig
from infra.constructs.alarms import LedgerAlarms
from infra.constructs.dashboard import LedgerDashboard
from infra.constructs.ledger_function import LedgerFunction
from infra.constructs.ledger_layer import LedgerLayer
from infra.constructs.schedule import AnchorSchedule
from infra.environment import ledger_environment
from infra.ledger_stack import LedgerStack
from infra.nag import acknowledge


class AnchorStack(Stack):
    """The anchor function, its schedules, the alarms and the dashboard."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: LedgerConfig,
        ledger: LedgerStack,
        api: ApiStack,
        bundling: Bundling,
    ) -> None:
        super().__init__(
            scope, construct_id, description=f"Indelible ledger '{config.ledger_name}': anchoring and alarms"
        )
        anchor = LedgerFunction(
            self,
            "Anchor",
            config=config,
            name="anchor",
            layer=LedgerLayer(self, "Layer", bundling=bundling).version,
            timeout=Duration.minutes(15),
            environment=ledger_environment(config, ledger),
            statements=permissions.anchor(bucket=ledger.bucket, table=ledger.table, keys=ledger.signing_keys),
            role_name=ledger.signer_role_name,
        )
        permissions.acknowledge_key_patterns(anchor.role, bucket=ledger.bucket, seals=True, signs=True)
        function = anchor.function
        # Lambda would retry a failed asynchronous run twice, minutes later, beside the runs that the
        # schedule starts anyway; the next scheduled run is the retry.
        function.configure_async_invoke(retry_attempts=0, max_event_age=Duration.minutes(15))
        acknowledge(
            function,
            "A run that fails is repaired by the next one from the table and the bucket, not from its event, "
            "which says no more than which kind of run it is; starts that fail go to the scheduler's queue.",
            "HIPAA.Security-LambdaDLQ",
            "NIST.800.53.R5-LambdaDLQ",
        )
        schedule = AnchorSchedule(self, "Schedule", config=config, function=function)
        api_id = api.http_api.api.api_id
        alarms = LedgerAlarms(
            self, "Alarms", config=config, api_id=api_id, anchor=function, dead_letters=schedule.dead_letters
        )
        LedgerDashboard(self, "Dashboard", config=config, api_id=api_id, alarms=alarms.alarms)
        # Where `indelible anchor` finds it.
        CfnOutput(self, "AnchorFunctionName", value=function.function_name)
