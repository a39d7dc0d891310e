# SPDX-License-Identifier: Apache-2.0
"""The scheduled door: an EventBridge Scheduler input in, a summary for the log out.

{"run": "news"}, {"run": "sweep"}    organisations with news, or all; then the ledger's own log
{"org_id": NAME}                     one organisation; then the ledger's own log
{"log": "ledger"}                    the ledger's own log
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Protocol

from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.errors import InvalidField, LedgerError
from indelible.ports import Clock, RoundStarts
from indelible.services.ledger_log import LedgerLog
from indelible.services.rounds import RoundReport, Rounds

_CLOSING_MS = 20_000
"""Kept for finishing the pass under way when the time is up."""
_LEDGER_MS = 60_000
"""Kept for the ledger's own log, which comes last."""


class LambdaContext(Protocol):
    """What is used of Lambda's context object."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds before Lambda ends the invocation."""
        ...


def anchor(
    event: dict[str, Any],
    context: LambdaContext,
    *,
    rounds: Callable[[], Rounds],
    ledger_log: Callable[[], LedgerLog],
    starts: Callable[[], RoundStarts],
    clock: Clock,
    telemetry: PowertoolsTelemetry,
) -> dict[str, Any]:
    """Run a round. What fails for one organisation is reported; what fails for all is raised, for the DLQ."""
    telemetry.begin(context.aws_request_id)
    left_ms = context.get_remaining_time_in_millis() - _CLOSING_MS
    deadline_ms, budget_ms = clock.now_ms() + left_ms, left_ms - _LEDGER_MS
    try:
        kind, org_id = event.get("run"), event.get("org_id")
        done: dict[str, Any] = {}
        if isinstance(org_id, str):
            done = _summary(rounds().anchor([org_id], budget_ms=budget_ms))
        elif kind == "news" or kind == "sweep":
            if kind == "news":  # the schedule that has the rate
                with suppress(LedgerError):
                    starts().begin(clock.now_ms())
            done = _summary(rounds().run(kind, budget_ms=budget_ms))
        elif event.get("log") != "ledger":
            raise InvalidField("must be news or sweep, or org_id an organisation, or log ledger", field="run")
        return {**done, "ledger": _logged(ledger_log(), deadline_ms)}
    except Exception:
        telemetry.count("UnexpectedErrors")
        raise
    finally:
        telemetry.flush()


def _logged(ledger_log: LedgerLog, deadline_ms: int) -> dict[str, Any]:
    """What became of the ledger's own log. Its trouble is counted, and is none of the round's."""
    try:
        return {**asdict(ledger_log.run(deadline_ms=deadline_ms)), "failed": None}
    except LedgerError as error:
        return {"failed": error.code}


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
