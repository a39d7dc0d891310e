# SPDX-License-Identifier: Apache-2.0
"""Asked by the workflow: {"organisations": [NAME, …]} for each batch of a round, {"log": "ledger"} at its end."""

from __future__ import annotations

from typing import Any

from indelible.entry import anchoring
from indelible.entry.bootstrap import anchor, shared
from indelible.entry.invocation import LambdaContext


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Anchor the batch, or the ledger's own log, and say what was done."""
    return anchoring.anchor(
        event,
        context,
        rounds=anchor.rounds,
        ledger_log=anchor.ledger_log,
        clock=shared.clock(),
        telemetry=shared.telemetry(),
    )
