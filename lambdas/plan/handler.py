# SPDX-License-Identifier: Apache-2.0
"""Asked by the workflow between two steps of a round: who is next, and what came of the last ones."""

from __future__ import annotations

from typing import Any

from indelible.entry import bootstrap, planning, scheduled


def handler(event: dict[str, Any], context: scheduled.LambdaContext) -> dict[str, Any]:
    """Sum up and choose."""
    return planning.plan(
        event,
        context,
        planner=bootstrap.planner,
        starts=bootstrap.round_starts,
        clock=bootstrap.clock(),
        telemetry=bootstrap.telemetry(),
    )
