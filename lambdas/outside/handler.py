# SPDX-License-Identifier: Apache-2.0
"""After the anchor: {"run": "news"} or {"run": "sweep"}. Deployed only where somebody outside is configured."""

from __future__ import annotations

from typing import Any

from indelible.entry import bootstrap, outside, scheduled


def handler(event: dict[str, Any], context: scheduled.LambdaContext) -> dict[str, Any]:
    """Bring the ledger's newest checkpoint before those outside."""
    return outside.run(
        event, context, outside=bootstrap.outside, clock=bootstrap.clock(), telemetry=bootstrap.telemetry()
    )
