# SPDX-License-Identifier: Apache-2.0
"""The layer that all functions of a stack share: our package and its pinned dependencies."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.bundling import LAMBDA_RUNTIME, Bundling, layer_code


class LedgerLayer(Construct):
    """One version per stack, of the same asset.

    Not shared between stacks: each change of code makes a new version with a new ARN, and an exported
    value cannot change while another stack imports it.
    """

    def __init__(self, scope: Construct, construct_id: str, *, bundling: Bundling) -> None:
        super().__init__(scope, construct_id)
        self.version = lambda_.LayerVersion(
            self,
            "Version",
            code=layer_code(bundling),
            compatible_runtimes=[LAMBDA_RUNTIME],
            compatible_architectures=[lambda_.Architecture.ARM_64],
            description="indelible and its pinned dependencies",
            removal_policy=RemovalPolicy.DESTROY,
        )
