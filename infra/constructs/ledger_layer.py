# SPDX-License-Identifier: Apache-2.0
"""The functions' layers: the one that all of a stack share, and the one that only exports as PDF need."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import RemovalPolicy, Stage
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.bundling import LAMBDA_RUNTIME, LAYER_DIR, ROOT, Bundling, layer_code


class LedgerLayer(Construct):
    """One version per stack, of the same asset.

    Not shared between stacks: each change of code makes a new version with a new ARN, and an exported
    value cannot change while another stack imports it.
    """

    def __init__(self, scope: Construct, construct_id: str, *, bundling: Bundling, source: Path = LAYER_DIR) -> None:
        super().__init__(scope, construct_id)
        stage = Stage.of(self)
        assert stage is not None  # noqa: S101 - every construct of an app is in one
        self.version = lambda_.LayerVersion(
            self,
            "Version",
            code=layer_code(bundling, outdir=Path(stage.outdir), source=source),
            compatible_runtimes=[LAMBDA_RUNTIME],
            compatible_architectures=[lambda_.Architecture.ARM_64],
            description=f"indelible: what is pinned in {source.relative_to(ROOT)}",
            removal_policy=RemovalPolicy.DESTROY,
        )
