# SPDX-License-Identifier: Apache-2.0
"""The one function that talks to parties other than AWS, deployed only where an anchoring provider is configured.

Invariant: it can neither sign nor read a record. An attacker who took it over could show the ledger's published
checkpoints to others, and store other files next to them, which verification reports (docs/adr/0012).
"""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import permissions
from infra.config import LedgerConfig
from infra.constructs.ledger_function import LedgerFunction
from infra.environment import ledger_environment
from infra.ledger_stack import LedgerStack
from infra.nag import acknowledge, hipaa_and_nist
from infra.round_definition import FUNCTION_SECONDS


class ExternalFunction(LedgerFunction):
    """``lambdas/external``, the last step of a round, after the ledger's own log."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: LedgerConfig,
        ledger: LedgerStack,
        layer: lambda_.ILayerVersion,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            config=config,
            name="external",
            layer=layer,
            timeout=Duration.seconds(FUNCTION_SECONDS),
            environment=ledger_environment(config, ledger),
            statements=permissions.external(bucket=ledger.bucket, keys=ledger.signing_keys),
        )
        permissions.acknowledge_ledger_patterns(self.role, bucket=ledger.bucket)
        acknowledge(
            self.function,
            "Invoked synchronously by the workflow, which catches the error; the next round finds in the bucket what "
            "is missing, and not in an event that was parked.",
            *hipaa_and_nist("LambdaDLQ"),
        )
