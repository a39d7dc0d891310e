# SPDX-License-Identifier: Apache-2.0
"""The CDK app for the emulator: the stacks of app.py, unchanged but for what the emulator cannot hold.

Invariant: a difference from what a customer deploys is made here, and is listed in docs/local.md.
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

#: Resource types that the emulator's CloudFormation refuses as a whole template.
UNSUPPORTED = frozenset({"AWS::CloudTrail::Trail"})
#: Refused likewise, but the emulator has calls for them: local/deploy.py makes them from the templates.
MADE_BY_CALLS = frozenset({"AWS::Athena::NamedQuery"})


class EmulatorBundling:
    """Functions run on the emulator's own Python, which has every package of the layer's lock installed.

    So the layer carries our code alone: nothing to download or to unpack for each function worker. What
    the real layer holds, and for which platform, is the packaging test's business.
    """

    python = None

    @property
    def target(self) -> str:
        """Keeps this asset apart from those made for Lambda."""
        return "emulator"

    def install(self, requirements: Path, destination: Path) -> None:
        """Nothing: see the class."""


def drop_unsupported(app: App) -> None:
    """Take resources of the unsupported types out of the stacks."""
    for construct in app.node.find_all():
        if isinstance(construct, CfnResource) and construct.cfn_resource_type in UNSUPPORTED:
            scope = construct.node.scope
            if scope is None or not scope.node.try_remove_child(construct.node.id):
                raise RuntimeError(f"{construct.node.path} could not be left out")


def leave_to_calls(app: App) -> None:
    """Keep resources of these types in the templates, under a condition that never holds."""
    conditions: dict[str, CfnCondition] = {}
    for construct in app.node.find_all():
        if isinstance(construct, CfnResource) and construct.cfn_resource_type in MADE_BY_CALLS:
            stack = Stack.of(construct)
            if stack.stack_name not in conditions:
                never = Fn.condition_equals(Aws.PARTITION, "nowhere")
                conditions[stack.stack_name] = CfnCondition(stack, "MadeByCloudFormation", expression=never)
            construct.cfn_options.condition = conditions[stack.stack_name]


def synthesize(settings: Mapping[str, str] | None = None, *, directory: Path | None = None) -> None:
    """Into `directory` with these settings; None leaves either to the CDK command line. Raises ConfigError."""
    app = App(
        context={**file_context(), **(settings or {})},
        outdir=None if directory is None else str(directory),
        # Publishes with the caller's keys, and so needs no bootstrap stack with roles to assume.
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
