# SPDX-License-Identifier: Apache-2.0
"""EventBridge Scheduler expressions, checked at synth rather than twenty minutes into a deployment.

Source: EventBridge Scheduler User Guide, "Schedule types": ``rate(value unit)`` and
``cron(minutes hours day-of-month month day-of-week year)``.
"""

from __future__ import annotations

import re

_UNITS = {"minute": 60, "hour": 3_600, "day": 86_400}
_CRON_FIELD = re.compile(r"[0-9A-Za-z*?,/#\-]+")


class ScheduleError(ValueError):
    """The text is neither a rate() nor a cron() expression."""


def parse_period(expression: str) -> int | None:
    """Seconds between two runs of a ``rate(…)``; None for a ``cron(…)``. Raises :class:`ScheduleError`."""
    rate = re.fullmatch(r"rate\(([1-9][0-9]{0,4}) (minute|hour|day)(s?)\)", expression)
    if rate:
        value, unit, plural = int(rate[1]), rate[2], bool(rate[3])
        if plural == (value == 1):
            raise ScheduleError(f"write rate(1 {unit}) or rate(2 {unit}s), not {expression!r}")
        return value * _UNITS[unit]
    cron = re.fullmatch(r"cron\((.*)\)", expression)
    if cron:
        fields = cron[1].split(" ")
        if len(fields) != 6 or not all(_CRON_FIELD.fullmatch(field) for field in fields):
            raise ScheduleError(
                "cron() takes six fields: minutes hours day-of-month month day-of-week year, "
                f"as in cron(0/15 * * * ? *); it is {expression!r}"
            )
        # One of the two day fields must give way to the other.
        if (fields[2] == "?") == (fields[4] == "?"):
            raise ScheduleError(
                f"cron() wants '?' in exactly one of day-of-month and day-of-week; it is {expression!r}"
            )
        return None
    raise ScheduleError(f"must be rate(5 minutes) or cron(0/15 * * * ? *) in form, not {expression!r}")
