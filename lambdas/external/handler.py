# SPDX-License-Identifier: Apache-2.0
"""The external anchoring function, the last step of a round. Deployed only when a provider is configured."""

from __future__ import annotations

from typing import Any

from indelible.entry import external
from indelible.entry.bootstrap import external as built
from indelible.entry.bootstrap import shared
from indelible.entry.invocation import LambdaContext


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Get external anchors for recent checkpoints, and return a summary (`entry.external`)."""
    return external.run(
        event, context, anchors=built.external_anchors, clock=shared.clock(), telemetry=shared.telemetry()
    )
