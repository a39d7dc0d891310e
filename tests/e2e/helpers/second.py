# SPDX-License-Identifier: Apache-2.0
"""Another ledger in the session's emulator, deployed with settings of its own."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from local import deploy
from local.env import Outputs
from local.ledger import ORG
from local.state import State


def another_ledger(ledger: Outputs, directory: Path, **settings: str) -> Outputs:
    """`settings` are the deployment's (`-c key=value`), a `ledger_name` among them; it goes with the emulator."""
    port = urlsplit(ledger.endpoint_url).port or 0
    directory.mkdir(parents=True)
    outputs = deploy.deploy(State(directory), port, settings={"stage": "dev", **settings})
    return deploy.describe(outputs, deploy.create_org(ORG, outputs["LedgerName"], port), port)
