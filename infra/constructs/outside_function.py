# SPDX-License-Identifier: Apache-2.0
"""The one function that speaks to somebody who is not AWS, deployed only where somebody is configured.

Invariant: it can neither sign nor read a record (docs/adr/0011): whoever took it over could show the ledger's published
checkpoints to others, and store junk beside them, which verification names.
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
from infra.nag import acknowledge

#: Every track works at once; a day's checkpoints at a second each, and the last questions' time.
FUNCTION_SECONDS = 300


class OutsideFunction(Construct):
    """``lambdas/outside``, invoked with ``{"run": "news"}`` or ``{"run": "sweep"}`` after the ledger's own log."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: LedgerConfig,
        ledger: LedgerStack,
        layer: lambda_.ILayerVersion,
    ) -> None:
        super().__init__(scope, construct_id)
        outside = LedgerFunction(
            self,
            "Lambda",
            config=config,
            name="outside",
            layer=layer,
            timeout=Duration.seconds(FUNCTION_SECONDS),
            environment=ledger_environment(config, ledger),
            statements=permissions.outside(bucket=ledger.bucket, key=ledger.signing_key),
        )
        permissions.acknowledge_ledger_patterns(outside.role, bucket=ledger.bucket)
        acknowledge(
            outside.function,
            "A run that fails is made up for by the next one, which finds in the bucket what is missing.",
            "HIPAA.Security-LambdaDLQ",
            "NIST.800.53.R5-LambdaDLQ",
        )
        self.function: lambda_.IFunction = outside.function
