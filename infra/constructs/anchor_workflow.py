# SPDX-License-Identifier: Apache-2.0
"""A round of the anchor as a state machine: plan, anchor the batches side by side, plan again, until nobody is left.

    Plan ─▶ Anyone? ─yes─▶ Anchor (Distributed Map) ─▶ Plan
               └──no──▶ Ledger ─▶ Outside, where somebody is configured ─▶ Done

Invariant: nothing that goes wrong for one organisation, one batch or one step after them ends the round. A batch whose
function failed is an answer like any other, and Plan gives each of its organisations a function of its own
(entry/planning.py).
A round that ends all the same, or overlaps with the next, leaves nothing to repair: whatever it did is complete for
each organisation by itself, and the next round finds what it left (services/anchor.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import ArnFormat, Aws, Fn, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.config import LedgerConfig
from infra.nag import acknowledge

#: An express execution ends after 300 seconds. This is what a batch's function may take; what is left over is for
#: attempts that Lambda did not accept.
FUNCTION_SECONDS = 240
_ROUND_SECONDS = 12 * 3600
_PLAN_SECONDS = 60

#: Lambda did not run the function, or lost its answer. Anchoring twice is harmless.
_NOT_ACCEPTED = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
]

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Step:
    """What comes once in a round, after the organisations; it may fail, and then only its own answer says so."""

    #: Also the name of its answer in the summary, in lower case.
    name: str
    function_arn: str
    asked: Json


def definition(*, plan_arn: str, anchor_arn: str, concurrency: int, steps: Sequence[Step]) -> Json:
    """The state machine in the Amazon States Language.

    The batches are made by the planner rather than by an ItemBatcher, which knows one size only: so few organisations
    get a function each, and one that must be alone is.
    """
    batch = {
        "Batch": {
            "Type": "Task",
            "Resource": anchor_arn,
            "TimeoutSeconds": FUNCTION_SECONDS + 5,
            "Retry": [_again(_NOT_ACCEPTED, attempts=4)],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.caught", "Next": "Lost"}],
            "ResultPath": "$.summary",
            "Next": "Answer",
        },
        # What came of it, and not the names again: together the answers must fit the state.
        "Answer": {"Type": "Pass", "Parameters": {"batch.$": "$.batch", "summary.$": "$.summary"}, "End": True},
        "Lost": {"Type": "Pass", "Parameters": {"batch.$": "$.batch", "error.$": "$.caught.Error"}, "End": True},
    }
    states: Json = {
        "Plan": {
            "Type": "Task",
            "Resource": plan_arn,
            "TimeoutSeconds": _PLAN_SECONDS,
            "Retry": [_again(["States.ALL"], attempts=3)],
            "Next": "Anyone?",
        },
        "Anyone?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.batches[0]", "IsPresent": True, "Next": "Anchor"}],
            "Default": steps[0].name if steps else "Done",
        },
        "Anchor": {
            "Type": "Map",
            "Label": "Anchor",
            "ItemsPath": "$.batches",
            "ItemSelector": {"batch.$": "$$.Map.Item.Index", "organisations.$": "$$.Map.Item.Value"},
            "MaxConcurrency": concurrency,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                "StartAt": "Batch",
                "States": batch,
            },
            "ToleratedFailurePercentage": 100,
            "ResultPath": "$.results",
            # Without results, Plan takes every batch for lost.
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.caught", "Next": "Plan"}],
            "Next": "Plan",
        },
        "Done": {"Type": "Pass", "InputPath": "$.totals", "End": True},
    }
    following = [*(step.name for step in steps[1:]), "Done"]
    for step, after in zip(steps, following, strict=True):
        states |= _once(step, after)
    return {"StartAt": "Plan", "TimeoutSeconds": _ROUND_SECONDS, "States": states}


def _once(step: Step, after: str) -> Json:
    lost, answer = f"{step.name}Lost", f"$.totals.{step.name.lower()}"
    return {
        step.name: {
            "Type": "Task",
            "Resource": step.function_arn,
            "Parameters": step.asked,
            "TimeoutSeconds": FUNCTION_SECONDS + 5,
            "Retry": [_again(_NOT_ACCEPTED, attempts=4)],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.caught", "Next": lost}],
            "ResultPath": answer,
            "Next": after,
        },
        lost: {"Type": "Pass", "Parameters": {"failed.$": "$.caught.Error"}, "ResultPath": answer, "Next": after},
    }


def _again(errors: list[str], *, attempts: int) -> Json:
    return {
        "ErrorEquals": errors,
        "IntervalSeconds": 2,
        "BackoffRate": 2,
        "MaxAttempts": attempts,
        "MaxDelaySeconds": 16,
        "JitterStrategy": "FULL",
    }


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
        outside: lambda_.IFunction | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        steps = [Step(name="Ledger", function_arn=anchor.function_arn, asked={"log": "ledger"})]
        if outside is not None:
            steps.append(Step(name="Outside", function_arn=outside.function_arn, asked={"run.$": "$.run"}))
        name = f"{config.ledger_name}-anchor"
        # The last part of the stack's own UUID: what an earlier stack of this name left behind is not in the way.
        uuid = Fn.select(2, Fn.split("/", Aws.STACK_ID))
        log_group = logs.LogGroup(
            self,
            "Logs",
            # The policy that lets Step Functions write covers every group of this prefix, and does not grow with them.
            log_group_name=f"/aws/vendedlogs/states/{name}-{Fn.select(4, Fn.split('-', uuid))}",
            retention=logs.RetentionDays.ONE_YEAR if config.is_prod else logs.RetentionDays.ONE_WEEK,
            removal_policy=RemovalPolicy.RETAIN if config.is_prod else RemovalPolicy.DESTROY,
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
            "HIPAA.Security-IAMNoInlinePolicy",
            "NIST.800.53.R5-IAMNoInlinePolicy",
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
            "HIPAA.Security-CloudWatchLogGroupEncrypted",
            "NIST.800.53.R5-CloudWatchLogGroupEncrypted",
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
