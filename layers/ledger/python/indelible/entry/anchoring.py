# SPDX-License-Identifier: Apache-2.0
"""The anchor function's handler: one task of the workflow in, a summary of the work out.

    {"organisations": [NAME, …]}    anchor a batch of organisations: a BatchSummary
    {"log": "ledger"}               anchor the ledger's own log: a LedgerReport, and `failed`, an error code or null

Invariant: what fails for one organisation, or for the ledger's own log, is in the summary and does not stop the round.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from indelible.entry.invocation import LambdaContext, observe
from indelible.entry.summary import BatchSummary, as_json
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.errors import InvalidField, LedgerError
from indelible.ports import Clock
from indelible.services.ledger_log import LedgerLog
from indelible.services.rounds import Rounds

_CLOSING_MS = 20_000
"""Kept for finishing the pass that is under way when the time is up."""


def anchor(
    event: dict[str, Any],
    context: LambdaContext,
    *,
    rounds: Callable[[], Rounds],
    ledger_log: Callable[[], LedgerLog],
    clock: Clock,
    telemetry: PowertoolsTelemetry,
) -> dict[str, Any]:
    """Do one task of a round. Raises InvalidField for an unknown task, and any error that is not one organisation's."""
    budget_ms = context.get_remaining_time_in_millis() - _CLOSING_MS
    with observe(context, telemetry):
        if event.get("log") == "ledger":
            return _anchor_ledger_log(ledger_log(), clock.now_ms() + budget_ms)
        names = event.get("organisations")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InvalidField("must be a list of names, or log must be ledger", field="organisations")
        return as_json(BatchSummary.of(rounds().anchor(names, budget_ms=budget_ms)))


def _anchor_ledger_log(ledger_log: LedgerLog, deadline_ms: int) -> dict[str, Any]:
    try:
        return {**asdict(ledger_log.run(deadline_ms=deadline_ms)), "failed": None}
    except LedgerError as error:
        return {"failed": error.code}
