# SPDX-License-Identifier: Apache-2.0
"""The plan function's handler: the state of the workflow in, the next batches and the totals so far out.

    {"run": "news" | "sweep"} or {"run": "org", "org_id": NAME}        the input of a round
    {…, "after", "batches": [[NAME, …], …], "totals": {…}}            the output, and the state of the workflow
    {…, "results": [{"batch": INDEX, "summary" | "error"}, …]}          the state after the batches were anchored

The round is over when `batches` is empty. A repeated call with the same state returns the same output.

Invariant: every organisation is planned at most twice in a round. An organisation that ends the anchor function (out of
memory, out of time) must not take others with it every time, so the organisations of a batch without a summary, and
those that a batch did not reach, are planned again, each in a batch of its own. There it is reached or reported as
failed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct, field

from indelible.entry.invocation import LambdaContext, observe
from indelible.entry.summary import BatchSummary, RoundSummary, as_json
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.errors import InvalidRequest, LedgerError, NotFound
from indelible.ports import Clock, Page, RoundStarts
from indelible.services.planner import Planner, Run

NO_ANSWER = "NO_ANSWER"
"""Stands for an error code when the workflow does not know how the function ended."""


class Result(Struct, frozen=True, kw_only=True):
    """The result of one batch. `error` is the error name that Step Functions caught when the function failed."""

    batch: int
    summary: BatchSummary | None = None
    error: str = NO_ANSWER


class State(Struct, frozen=True, kw_only=True):
    """The state of the workflow. Without `totals` the round begins."""

    run: Run
    org_id: str = ""
    after: str | None = None
    batches: list[list[str]] = field(default_factory=list)
    totals: RoundSummary | None = None
    # A failed execution leaves null in the list, or no element.
    results: list[Result | None] = field(default_factory=list)


def plan(
    event: dict[str, Any],
    context: LambdaContext,
    *,
    planner: Callable[[], Planner],
    starts: Callable[[], RoundStarts],
    clock: Clock,
    telemetry: PowertoolsTelemetry,
) -> dict[str, Any]:
    """Add up the results, and choose the next batches. Raises InvalidRequest for a state of another form."""
    with observe(context, telemetry):
        state = _read(event)
        if state.totals is None and state.run == "news":  # the only schedule with a fixed rate
            with suppress(LedgerError):
                starts().begin(clock.now_ms())
        totals, again, failures = _add_results(state)
        telemetry.count("AnchorFailures", failures)
        batches, after = [[name] for name in again], state.after
        if not again and (state.totals is None or after is not None):
            try:
                page = planner().choose(state.run, org_id=state.org_id, after=after)
            except NotFound as error:
                # Reported to the operator who named it, but not counted as a failure: a wrong name must raise no alarm.
                totals, page = totals.plus(BatchSummary(failed={state.org_id: error.code})), Page((), None)
            batches, after = planner().batches(page.names), page.after
        return as_json(State(run=state.run, org_id=state.org_id, after=after, batches=batches, totals=totals))


def _read(event: dict[str, Any]) -> State:
    try:
        return msgspec.convert(event, State)
    except msgspec.ValidationError as error:
        raise InvalidRequest(str(error)) from None


def _add_results(state: State) -> tuple[RoundSummary, list[str], int]:
    """Totals with the results of the last batches; organisations to plan again, each alone; the number of failures."""
    totals = state.totals or RoundSummary()
    results = {result.batch: result for result in state.results if result is not None}
    again: list[str] = []
    failures = 0
    for number, names in enumerate(state.batches):
        result = results.get(number, Result(batch=number))
        if result.summary is None and len(names) > 1:
            again += names
            continue
        summary = result.summary or BatchSummary(failed=dict.fromkeys(names, result.error))
        totals = totals.plus(summary)
        again += summary.not_reached
        failures += len(summary.failed)
    return totals, again, failures
