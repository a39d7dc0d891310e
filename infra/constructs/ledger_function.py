# SPDX-License-Identifier: Apache-2.0
"""One function with one role of its own, whose whole permission is the list that is handed in (G7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, IgnoreMode, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.bundling import LAMBDA_RUNTIME, ROOT
from infra.config import LedgerConfig
from infra.nag import acknowledge, hipaa_and_nist

#: One full vCPU: these functions hash and sign, and are CPU-bound when warm.
_ONE_VCPU_MB = 1769


class LedgerFunction(Construct):
    """``lambdas/<name>/handler.py`` on arm64, with explicit logs and an inline least-privilege role."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: LedgerConfig,
        name: str,
        layer: lambda_.ILayerVersion,
        timeout: Duration,
        environment: Mapping[str, str],
        statements: Sequence[iam.PolicyStatement],
        extra_layers: Sequence[lambda_.ILayerVersion] = (),
        role_name: str | None = None,
        memory_mb: int = _ONE_VCPU_MB,
        room: Size | None = None,
    ) -> None:
        """``role_name`` only where another policy must name the role before it exists; ``room`` is that in ``/tmp``."""
        super().__init__(scope, construct_id)
        log_group = logs.LogGroup(
            self,
            "Logs",
            retention=config.log_retention,
            removal_policy=config.removal_policy,
        )
        writes_its_logs = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
        )
        self.role = iam.Role(
            self,
            "Role",
            role_name=role_name,
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Runs the {name} function of the Indelible ledger '{config.ledger_name}'",
            inline_policies={name: iam.PolicyDocument(statements=[writes_its_logs, *statements])},
        )
        self.function = lambda_.Function(
            self,
            "Function",
            runtime=LAMBDA_RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            handler="handler.handler",
            code=lambda_.Code.from_asset(
                str(ROOT / "lambdas" / name), exclude=["__pycache__", "*.pyc"], ignore_mode=IgnoreMode.GIT
            ),
            layers=[layer, *extra_layers],
            role=self.role,
            timeout=timeout,
            memory_size=memory_mb,
            ephemeral_storage_size=room,
            environment=dict(environment),
            log_group=log_group,
            description=f"Indelible: {name}",
        )
        acknowledge(
            self.role,
            "The policy is inline because it belongs to this one function and must not be attachable elsewhere.",
            *hipaa_and_nist("IAMNoInlinePolicy"),
        )
        acknowledge(
            self.function,
            "A reserved share would take concurrency from the rest of the account; the API is throttled at "
            "its stage, and writers of one organisation are ordered by the head's compare-and-swap.",
            *hipaa_and_nist("LambdaConcurrency"),
        )
        acknowledge(
            self.function,
            "Calls AWS service endpoints only, over TLS and with IAM; it holds no network resource that a "
            "VPC would protect.",
            *hipaa_and_nist("LambdaInsideVPC"),
        )
        acknowledge(
            log_group,
            "Log lines carry no payloads and no secrets; CloudWatch encrypts them at rest under its own key.",
            *hipaa_and_nist("CloudWatchLogGroupEncrypted"),
        )
