# SPDX-License-Identifier: Apache-2.0
"""The plan function. The workflow invokes it before each set of batches."""

from __future__ import annotations

from typing import Any

from indelible.entry import planning
from indelible.entry.bootstrap import plan, shared
from indelible.entry.invocation import LambdaContext


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Add up the results, and choose the next batches (`entry.planning`)."""
    return planning.plan(
        event,
        context,
        planner=plan.planner,
        starts=plan.round_starts,
        clock=shared.clock(),
        telemetry=shared.telemetry(),
    )
