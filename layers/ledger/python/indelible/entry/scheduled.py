# SPDX-License-Identifier: Apache-2.0
"""The scheduled door: an EventBridge Scheduler input in, a summary for the log out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.errors import InvalidField
from indelible.services.rounds import RoundReport, Rounds

_CLOSING_MS = 20_000
"""Kept for finishing the pass under way when the time is up."""


class LambdaContext(Protocol):
    """What is used of Lambda's context object."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds before Lambda ends the invocation."""
        ...


def anchor(
    event: dict[str, Any], context: LambdaContext, *, rounds: Callable[[], Rounds], telemetry: PowertoolsTelemetry
) -> dict[str, Any]:
    """Run a round. What fails for one organisation is reported; what fails for all is raised, for the DLQ."""
    telemetry.begin(context.aws_request_id)
    budget_ms = context.get_remaining_time_in_millis() - _CLOSING_MS
    try:
        kind, org_id = event.get("run"), event.get("org_id")
        if isinstance(org_id, str):
            return _summary(rounds().anchor([org_id], budget_ms=budget_ms))
        if kind == "news" or kind == "sweep":
            return _summary(rounds().run(kind, budget_ms=budget_ms))
        raise InvalidField("must be news or sweep, or name an organisation as org_id", field="run")
    except Exception:
        telemetry.count("UnexpectedErrors")
        raise
    finally:
        telemetry.flush()


def _summary(done: RoundReport) -> dict[str, Any]:
    return {
        "organisations": len(done.reports),
        "records": sum(report.records for report in done.reports),
        "sealed": sum(report.sealed for report in done.reports),
        "repaired": sum(report.repaired for report in done.reports),
        "broken": {
            report.org_id: [{"code": f.code, "sequence": f.sequence, "detail": f.detail} for f in report.broken[:10]]
            for report in done.reports
            if report.broken
        },
        "failed": list(done.failed),
        "not_reached": done.not_reached,
    }
