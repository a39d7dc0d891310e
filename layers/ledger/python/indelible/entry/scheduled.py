# SPDX-License-Identifier: Apache-2.0
"""The anchor's door: a batch of organisations in, a summary of what was done for them out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from indelible.entry.summary import BatchSummary, as_json
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.errors import InvalidField
from indelible.services.rounds import Rounds

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
    """Anchor a batch. What fails for one organisation is reported; what fails for all is raised, for the workflow."""
    telemetry.begin(context.aws_request_id)
    budget_ms = context.get_remaining_time_in_millis() - _CLOSING_MS
    try:
        names = event.get("organisations")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InvalidField("must be a list of names", field="organisations")
        return as_json(BatchSummary.of(rounds().anchor(names, budget_ms=budget_ms)))
    except Exception:
        telemetry.count("UnexpectedErrors")
        raise
    finally:
        telemetry.flush()
