# SPDX-License-Identifier: Apache-2.0
"""What every invocation of a function needs: its deadline, and telemetry around its work.

Invariant: the metrics of an invocation are written even when its work raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.ports import Clock


class LambdaContext(Protocol):
    """The members of Lambda's context object that are used here."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds before Lambda ends the invocation."""
        ...


def deadline_ms(context: LambdaContext, clock: Clock, *, keep_ms: int) -> int:
    """When work must stop for the function to have `keep_ms` left: Unix time in milliseconds."""
    return clock.now_ms() + context.get_remaining_time_in_millis() - keep_ms


@contextmanager
def observe(context: LambdaContext, telemetry: PowertoolsTelemetry) -> Iterator[None]:
    """Wrap the work of a function that a workflow or another function invokes: count what it raises, and re-raise."""
    telemetry.begin(context.aws_request_id)
    try:
        yield
    except Exception:
        telemetry.count("UnexpectedErrors")
        raise
    finally:
        telemetry.flush()
