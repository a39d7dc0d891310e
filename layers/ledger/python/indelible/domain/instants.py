# SPDX-License-Identifier: Apache-2.0
"""Instants, as integer milliseconds since the Unix epoch, and their one text form.

Text is RFC 3339 in UTC with exactly three decimals: `2026-03-20T14:22:01.481Z`. Floats never carry time here:
a millisecond must survive any number of conversions.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


def to_text(ms: int) -> str:
    """`2026-03-20T14:22:01.481Z`."""
    return to_datetime(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: str) -> int:
    """Any RFC 3339 instant (§5.6), offsets included; digits beyond milliseconds are cut off.

    Raises ValueError for everything else.
    """
    if not _RFC3339.fullmatch(text):
        raise ValueError("not an RFC 3339 instant such as 2026-03-20T14:22:01.481Z")
    return from_datetime(datetime.fromisoformat(text.upper()))


def to_datetime(ms: int) -> datetime:
    """An aware UTC datetime."""
    return _EPOCH + timedelta(milliseconds=ms)


def from_datetime(instant: datetime) -> int:
    """Milliseconds of an aware datetime, rounded down."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def day(ms: int) -> str:
    """The UTC day, `2026-03-20`."""
    return to_text(ms)[:10]


def first_midnight_at_or_after(ms: int) -> int:
    """Midnight UTC that is not earlier than `ms`."""
    return -(-ms // DAY_MS) * DAY_MS
