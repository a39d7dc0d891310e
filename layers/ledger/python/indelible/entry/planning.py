# SPDX-License-Identifier: Apache-2.0
"""The planner's handler: the workflow's state in, the next batches and the sum of what was done so far out.

    {"run": "news" | "sweep"} or {"run": "org", "org_id": NAME}        the input of a round
    {…, "after", "batches": [[NAME, …], …], "totals": {…}}            the answer, and the state of the workflow
    {…, "results": [{"batch": INDEX, "summary" | "error"}, …]}          the same, when the batches are done

The round is over when `batches` is empty. Asking twice gives the same.

One organisation that ends the function (out of memory, out of time) must not take its batch with it each time. So a
batch without a summary, and what a batch did not reach, is planned again: each organisation alone. Alone it is reached
or named as failed, and so every organisation is planned twice at most.
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
"""In place of an error code, where the workflow does not even know how the function ended."""


class Result(Struct, frozen=True, kw_only=True):
    """What came of one batch; `error` is the name under which Step Functions caught the end of the function."""

    batch: int
    summary: BatchSummary | None = None
    error: str = NO_ANSWER


class State(Struct, frozen=True, kw_only=True):
    """The workflow's state. No `totals`: the round begins."""

    run: Run
    org_id: str = ""
    after: str | None = None
    batches: list[list[str]] = field(default_factory=list)
    totals: RoundSummary | None = None
    # An execution that failed leaves null in the list, or nothing at all.
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
    """Sum up what was done, and choose who is next."""
    with observe(context, telemetry):
        state = _read(event)
        if state.totals is None and state.run == "news":  # the schedule that has the rate
            with suppress(LedgerError):
                starts().begin(clock.now_ms())
        totals, again, failures = _settled(state)
        telemetry.count("AnchorFailures", failures)
        batches, after = [[name] for name in again], state.after
        if not again and (state.totals is None or after is not None):
            try:
                page = planner().choose(state.run, org_id=state.org_id, after=after)
            except NotFound as error:
                # Whoever asked is told. A name that does not exist is no reason to ring an alarm.
                totals, page = totals.plus(BatchSummary(failed={state.org_id: error.code})), Page((), None)
            batches, after = planner().batches(page.names), page.after
        return as_json(State(run=state.run, org_id=state.org_id, after=after, batches=batches, totals=totals))


def _read(event: dict[str, Any]) -> State:
    try:
        return msgspec.convert(event, State)
    except msgspec.ValidationError as error:
        raise InvalidRequest(str(error)) from None


def _settled(state: State) -> tuple[RoundSummary, list[str], int]:
    """The sum with the results of the last batches; who is to be planned again, alone; how many have failed."""
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
