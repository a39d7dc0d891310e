# SPDX-License-Identifier: Apache-2.0
"""After the anchor: {"run": "news"} or {"run": "sweep"}. Deployed only where an anchoring provider is configured."""

from __future__ import annotations

from typing import Any

from indelible.entry import external
from indelible.entry.bootstrap import external as built
from indelible.entry.bootstrap import shared
from indelible.entry.invocation import LambdaContext


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Have the ledger's newest checkpoints anchored externally."""
    return external.run(
        event, context, anchors=built.external_anchors, clock=shared.clock(), telemetry=shared.telemetry()
    )
