# SPDX-License-Identifier: Apache-2.0
"""Asked by the workflow between two steps of a round: who is next, and what came of the last ones."""

from __future__ import annotations

from typing import Any

from indelible.entry import planning
from indelible.entry.bootstrap import plan, shared
from indelible.entry.invocation import LambdaContext


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Sum up and choose."""
    return planning.plan(
        event,
        context,
        planner=plan.planner,
        starts=plan.round_starts,
        clock=shared.clock(),
        telemetry=shared.telemetry(),
    )
