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
from infra.constructs.anchor_workflow import AnchorWorkflow
from infra.constructs.dashboard import LedgerDashboard
from infra.constructs.external_function import ExternalFunction
from infra.constructs.ledger_function import LedgerFunction
from infra.constructs.ledger_layer import LedgerLayer
from infra.constructs.schedule import AnchorSchedule
from infra.environment import ledger_environment, second_line_environment
from infra.ledger_stack import LedgerStack
from infra.nag import acknowledge, hipaa_and_nist
from infra.round_definition import FUNCTION_SECONDS


class AnchorStack(Stack):
    """The anchor's functions, the workflow of its rounds, their schedules, the alarms and the dashboard."""

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
        layer = LedgerLayer(self, "Layer", bundling=bundling).version
        environment = ledger_environment(config, ledger)
        plan = LedgerFunction(
            self,
            "Plan",
            config=config,
            name="plan",
            layer=layer,
            timeout=Duration.seconds(30),
            environment=environment | {"INDELIBLE_ANCHOR_CONCURRENCY": str(config.anchor_concurrency)},
            statements=permissions.plan(table=ledger.table),
        )
        anchor = LedgerFunction(
            self,
            "Anchor",
            config=config,
            name="anchor",
            layer=layer,
            timeout=Duration.seconds(FUNCTION_SECONDS),
            environment=environment | second_line_environment(ledger),
            statements=permissions.anchor(bucket=ledger.bucket, table=ledger.table, keys=ledger.all_keys),
            role_name=ledger.signer_role_name,
        )
        permissions.acknowledge_key_patterns(anchor.role, bucket=ledger.bucket, seals=True, signs=True)
        for asked in (plan, anchor):
            acknowledge(
                asked.function,
                "Invoked synchronously by the workflow, which catches and counts the error; the next round repairs "
                "from the table and the bucket, not from an event that was parked.",
                *hipaa_and_nist("LambdaDLQ"),
            )
        external = None
        if config.external_anchors:
            external = ExternalFunction(self, "External", config=config, ledger=ledger, layer=layer).function
        workflow = AnchorWorkflow(
            self, "Workflow", config=config, plan=plan.function, anchor=anchor.function, external=external
        )
        schedule = AnchorSchedule(self, "Schedule", config=config, state_machine_arn=workflow.arn)
        api_id = api.http_api.api.api_id
        alarms = LedgerAlarms(
            self,
            "Alarms",
            config=config,
            api_id=api_id,
            state_machine_arn=workflow.arn,
            anchor=anchor.function,
            external=external,
            dead_letters=schedule.dead_letters,
        )
        LedgerDashboard(self, "Dashboard", config=config, api_id=api_id, alarms=alarms.alarms)
        # Where `indelible anchor` finds it.
        CfnOutput(self, "AnchorStateMachineArn", value=workflow.arn)
        if external is not None:
            # Where `indelible doctor` finds who is configured.
            CfnOutput(self, "ExternalFunctionName", value=external.function_name)
