#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cdk.json context → LedgerConfig → stacks. Synthesizes without credentials."""

from __future__ import annotations

import sys

try:
    from infra.app import build, new_app
    from infra.bundling import LambdaBundling
    from infra.config import ConfigError, LedgerConfig
except ModuleNotFoundError as error:
    if error.name != "aws_cdk":
        raise
    sys.exit("app.py: this Python has no CDK; use .venv/bin/python, or install requirements.txt")


def main() -> None:
    """Synthesize into the CDK command line's output directory, or a temporary one without it."""
    app = new_app()
    try:
        config = LedgerConfig.from_context(app.node.get_all_context())
    except ConfigError as error:
        sys.exit(f"indelible: {error}")
    print(config.describe(), file=sys.stderr)
    build(app, config, bundling=LambdaBundling.on_this_machine())
    app.synth()


if __name__ == "__main__":
    main()
