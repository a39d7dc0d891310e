# SPDX-License-Identifier: Apache-2.0
"""The state machine of the anchor's rounds, as it is deployed: its definition, its role and its log.

What a round does, and what it does not stop at, is in infra/round_definition.py.
"""

from __future__ import annotations

from aws_cdk import ArnFormat, Aws, Fn, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.config import LedgerConfig
from infra.nag import acknowledge, hipaa_and_nist
from infra.round_definition import Step, definition


class AnchorWorkflow(Construct):
    """The state machine ``{ledger_name}-anchor`` and its role."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: LedgerConfig,
        plan: lambda_.IFunction,
        anchor: lambda_.IFunction,
        external: lambda_.IFunction | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        steps = [Step(name="Ledger", answer="ledger", function_arn=anchor.function_arn, asked={"log": "ledger"})]
        if external is not None:
            steps.append(
                Step(
                    name="External",
                    answer="external_anchors",
                    function_arn=external.function_arn,
                    asked={"run.$": "$.run"},
                )
            )
        name = f"{config.ledger_name}-anchor"
        # The last part of the stack's own UUID: what an earlier stack of this name left behind is not in the way.
        uuid = Fn.select(2, Fn.split("/", Aws.STACK_ID))
        log_group = logs.LogGroup(
            self,
            "Logs",
            # The policy that lets Step Functions write covers every group of this prefix, and does not grow with them.
            log_group_name=f"/aws/vendedlogs/states/{name}-{Fn.select(4, Fn.split('-', uuid))}",
            retention=config.log_retention,
            removal_policy=config.removal_policy,
        )
        functions = dict.fromkeys([plan.function_arn, anchor.function_arn, *(step.function_arn for step in steps)])
        self.role = self._role(name, config=config, function_arns=[*functions])
        machine = sfn.CfnStateMachine(
            self,
            "StateMachine",
            state_machine_name=name,
            state_machine_type="STANDARD",
            role_arn=self.role.role_arn,
            definition=definition(
                plan_arn=plan.function_arn,
                anchor_arn=anchor.function_arn,
                concurrency=config.anchor_concurrency,
                steps=steps,
            ),
            logging_configuration=sfn.CfnStateMachine.LoggingConfigurationProperty(
                level="ERROR",
                include_execution_data=True,
                destinations=[
                    sfn.CfnStateMachine.LogDestinationProperty(
                        cloud_watch_logs_log_group=sfn.CfnStateMachine.CloudWatchLogsLogGroupProperty(
                            log_group_arn=log_group.log_group_arn
                        )
                    )
                ],
            ),
        )
        self.arn = machine.ref
        acknowledge(
            machine,
            "Errors are logged, with their data. What went well is in the execution's own history, which Step "
            "Functions keeps for 90 days, and in its output.",
            "AwsSolutions-SF1",
        )
        acknowledge(
            machine,
            "A round is a plan and one function after it: the history has the duration of each step, and tracing "
            "would need permissions on every resource of X-Ray.",
            "AwsSolutions-SF2",
        )
        acknowledge(
            self.role,
            "The policy is inline because it belongs to this one state machine.",
            *hipaa_and_nist("IAMNoInlinePolicy"),
        )
        acknowledge(
            self.role,
            "The children that a Distributed Map starts of this one machine get names that nobody knows before.",
            f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:{name}:*]",
        )
        acknowledge(
            self.role,
            "Delivering a state machine's logs to CloudWatch takes actions of CloudWatch Logs that know no resources.",
            "AwsSolutions-IAM5[Resource::*]",
        )
        acknowledge(
            log_group,
            "Log lines name organisations and errors, no payloads and no secrets; CloudWatch encrypts them at rest "
            "under its own key.",
            *hipaa_and_nist("CloudWatchLogGroupEncrypted"),
        )

    def _role(self, name: str, *, config: LedgerConfig, function_arns: list[str]) -> iam.Role:
        # Named rather than referenced: the role must exist before the machine.
        stack = Stack.of(self)

        def arn(resource: str, resource_name: str) -> str:
            return stack.format_arn(
                service="states",
                resource=resource,
                resource_name=resource_name,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            )

        machine = arn("stateMachine", name)
        return iam.Role(
            self,
            "Role",
            description=f"Runs the anchor's rounds of ledger '{config.ledger_name}'",
            assumed_by=iam.ServicePrincipal(
                "states.amazonaws.com",
                # Confused deputy: only this account's machine of this name, and the children that its map starts.
                conditions={
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                    "ArnLike": {"aws:SourceArn": [machine, f"{machine}/*"]},
                },
            ),
            inline_policies={
                "run-rounds": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=function_arns),
                        # A Distributed Map starts its machine's children, looks whether they have ended, and ends them
                        # when the round is stopped. (Not RedriveExecution, which is for children that are standard
                        # executions: a round that failed is repaired by the next one.)
                        iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine]),
                        iam.PolicyStatement(
                            actions=["states:DescribeExecution", "states:StopExecution"],
                            resources=[arn("execution", f"{name}:*")],
                        ),
                        # Vended logs: these actions know no resources.
                        iam.PolicyStatement(actions=_LOG_DELIVERY, resources=["*"]),
                    ]
                )
            },
        )


_LOG_DELIVERY = [
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
]
