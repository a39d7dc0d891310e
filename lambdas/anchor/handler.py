# SPDX-License-Identifier: Apache-2.0
"""Asked by the workflow: {"organisations": [NAME, …]} for each batch of a round, {"log": "ledger"} at its end."""

from __future__ import annotations

from typing import Any

from indelible.entry import bootstrap, scheduled


def handler(event: dict[str, Any], context: scheduled.LambdaContext) -> dict[str, Any]:
    """Anchor the batch, or the ledger's own log, and say what was done."""
    return scheduled.anchor(
        event,
        context,
        rounds=bootstrap.rounds,
        ledger_log=bootstrap.ledger_log,
        clock=bootstrap.clock(),
        telemetry=bootstrap.telemetry(),
    )
