# SPDX-License-Identifier: Apache-2.0
"""The CDK app for the emulator: the stacks of app.py, without what the emulator does not support.

Invariant: every difference from a deployment to AWS is made here, and is listed in docs/local.md.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import App, Aws, CfnCondition, CfnResource, CliCredentialsStackSynthesizer, Fn, Stack

from infra.app import build
from infra.config import ConfigError, LedgerConfig
from infra.context import file_context
from local.env import ASSETS_BUCKET

#: Resource types for which the emulator's CloudFormation refuses the whole template.
UNSUPPORTED = frozenset({"AWS::CloudTrail::Trail"})
#: Also refused, but supported by API calls: local/deploy.py creates them from the templates.
MADE_BY_CALLS = frozenset({"AWS::Athena::NamedQuery"})


class EmulatorBundling:
    """Packs the layer without dependencies: the emulator's own Python has every package of the layer's lock installed.

    So there is nothing to download, and nothing to unpack for each function worker. The contents of the real layer are
    tested in tests/packaging.
    """

    python = None

    @property
    def target(self) -> str:
        """Distinguishes this asset from those made for Lambda."""
        return "emulator"

    def install(self, requirements: Path, destination: Path) -> None:
        """Do nothing; see the class."""


def drop_unsupported(app: App) -> None:
    """Remove resources of the unsupported types from the stacks."""
    for construct in app.node.find_all():
        if isinstance(construct, CfnResource) and construct.cfn_resource_type in UNSUPPORTED:
            scope = construct.node.scope
            if scope is None or not scope.node.try_remove_child(construct.node.id):
                raise RuntimeError(f"{construct.node.path} could not be removed")


def leave_to_calls(app: App) -> None:
    """Keep resources of the types in MADE_BY_CALLS in the templates, under a condition that is never true."""
    conditions: dict[str, CfnCondition] = {}
    for construct in app.node.find_all():
        if isinstance(construct, CfnResource) and construct.cfn_resource_type in MADE_BY_CALLS:
            stack = Stack.of(construct)
            if stack.stack_name not in conditions:
                never = Fn.condition_equals(Aws.PARTITION, "nowhere")
                conditions[stack.stack_name] = CfnCondition(stack, "MadeByCloudFormation", expression=never)
            construct.cfn_options.condition = conditions[stack.stack_name]


def synthesize(settings: Mapping[str, str] | None = None, *, directory: Path | None = None) -> None:
    """Synthesize into `directory` with these settings; None leaves either to the CDK CLI. Raises ConfigError."""
    app = App(
        context={**file_context(), **(settings or {})},
        outdir=None if directory is None else str(directory),
        # Publishes assets with the caller's credentials, and so needs no bootstrap stack with roles to assume.
        default_stack_synthesizer=CliCredentialsStackSynthesizer(file_assets_bucket_name=ASSETS_BUCKET),
    )
    config = LedgerConfig.from_context(app.node.get_all_context(), on_this_machine=True)
    build(app, config, bundling=EmulatorBundling())
    drop_unsupported(app)
    leave_to_calls(app)
    app.synth()


if __name__ == "__main__":
    try:
        synthesize()
    except ConfigError as error:
        sys.exit(f"indelible: {error}")
