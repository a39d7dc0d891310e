# SPDX-License-Identifier: Apache-2.0
"""Scheduled: {"run": "news"} every few minutes, {"run": "sweep"} every hour; or {"org_id": NAME} by hand.

Each ends with the ledger's own log; {"log": "ledger"} does only that.
"""

from __future__ import annotations

from typing import Any

from indelible.entry import bootstrap, scheduled


def handler(event: dict[str, Any], context: scheduled.LambdaContext) -> dict[str, Any]:
    """Anchor what is due and say what was done."""
    return scheduled.anchor(
        event,
        context,
        rounds=bootstrap.rounds,
        ledger_log=bootstrap.ledger_log,
        starts=bootstrap.round_starts,
        clock=bootstrap.clock(),
        telemetry=bootstrap.telemetry(),
    )
