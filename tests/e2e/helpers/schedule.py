# SPDX-License-Identifier: Apache-2.0
"""The schedule of a ledger's rounds, which rests in these tests except where one looks at it.

A round that comes between two looks at the same organisation changes what the second one finds, once in a hundred
runs. So rounds come when a test asks for one (`Admin.round`), and the schedule's own are seen in
test_within_a_minute.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.env import Outputs
from tests.e2e.helpers.admin import Admin

_KEPT = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target", "Description")


def pause(ledger: Outputs) -> None:
    """Start no more rounds for news. The hourly sweep is too far away to disturb anybody."""
    _switch(ledger, "DISABLED")


@contextmanager
def running(ledger: Outputs) -> Iterator[None]:
    """As deployed. A round comes at once where the last one, or the deployment, is a minute past."""
    _switch(ledger, "ENABLED")
    try:
        yield
    finally:
        _switch(ledger, "DISABLED")


def _switch(ledger: Outputs, state: str) -> None:
    scheduler = Admin.of(ledger).client("scheduler")
    found: dict[str, Any] = scheduler.get_schedule(GroupName=f"{ledger.ledger_name}-anchor", Name="news")
    scheduler.update_schedule(**{name: found[name] for name in _KEPT if name in found}, State=state)
