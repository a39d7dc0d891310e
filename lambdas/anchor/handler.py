# SPDX-License-Identifier: Apache-2.0
"""The anchor function. The workflow invokes it for each batch of a round, and at the end for the ledger's own log."""

from __future__ import annotations

from typing import Any

from indelible.entry import anchoring
from indelible.entry.bootstrap import anchor, shared
from indelible.entry.invocation import LambdaContext


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do one task of a round, and return a summary (`entry.anchoring`)."""
    return anchoring.anchor(
        event,
        context,
        rounds=anchor.rounds,
        ledger_log=anchor.ledger_log,
        clock=shared.clock(),
        telemetry=shared.telemetry(),
    )
