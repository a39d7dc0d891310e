# SPDX-License-Identifier: Apache-2.0
"""After the anchor: {"run": "news"} or {"run": "sweep"}. Deployed only where somebody outside is configured."""

from __future__ import annotations

from typing import Any

from indelible.entry import outside
from indelible.entry.bootstrap import outside as built
from indelible.entry.bootstrap import shared
from indelible.entry.invocation import LambdaContext


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Bring the ledger's newest checkpoint before those outside."""
    return outside.run(event, context, outside=built.outside, clock=shared.clock(), telemetry=shared.telemetry())
