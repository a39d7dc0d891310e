# SPDX-License-Identifier: Apache-2.0
"""The handler of external anchoring: the last step of a round, which says what kind of round it is.

{"run": "news"}, {"run": "org"}    what recent checkpoints of the ledger miss
{"run": "sweep"}                   also OpenTimestamps proofs that were not complete when they were given
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from indelible.entry.invocation import LambdaContext, deadline_ms, observe
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.errors import InvalidField
from indelible.ports import Clock
from indelible.services.external_anchors import ExternalAnchors, ExternalReport

_CLOSING_MS = 60_000
"""Kept for the last question that each track has under way when the time is up, and for publishing what came of it."""


def run(
    event: dict[str, Any],
    context: LambdaContext,
    *,
    anchors: Callable[[], ExternalAnchors],
    clock: Clock,
    telemetry: PowertoolsTelemetry,
) -> dict[str, Any]:
    """Ask the anchoring providers. What they do not do is in the summary; nothing of it is raised."""
    until_ms = deadline_ms(context, clock, keep_ms=_CLOSING_MS)
    with observe(context, telemetry):
        kind = event.get("run")
        if kind not in ("news", "org", "sweep"):
            raise InvalidField("must be news, org or sweep", field="run")
        return _summary(anchors().run("sweep" if kind == "sweep" else "news", deadline_ms=until_ms))


def _summary(done: ExternalReport) -> dict[str, Any]:
    return {
        "failed": None,
        "tree_size": done.tree_size,
        "cosignatures": done.cosignatures,
        "witnessed": done.witnessed,
        "tracks": {
            report.track: {
                "stored": len(report.stored),
                "completed": len(report.completed),
                "failure": report.failure,
                "waiting_seconds": report.waiting_ms // 1000,
            }
            for report in done.tracks
        },
    }
