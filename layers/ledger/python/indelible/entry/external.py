# SPDX-License-Identifier: Apache-2.0
"""The handler of external anchoring, the last step of a round. The event is the kind of round.

    {"run": "news"}, {"run": "org"}    get the external anchors that recent checkpoints of the ledger lack
    {"run": "sweep"}                   also complete OpenTimestamps proofs that were pending

Invariant: what a provider fails to do is in the summary; it is never raised.
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
"""Kept for the request that each track has under way when the time is up, and for storing its result."""


def run(
    event: dict[str, Any],
    context: LambdaContext,
    *,
    anchors: Callable[[], ExternalAnchors],
    clock: Clock,
    telemetry: PowertoolsTelemetry,
) -> dict[str, Any]:
    """Ask the anchoring providers, and summarize. Raises InvalidField for an unknown kind of round."""
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
