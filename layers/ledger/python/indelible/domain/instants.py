# SPDX-License-Identifier: Apache-2.0
"""Instants, as integer milliseconds since the Unix epoch, and their one text form.

Text is RFC 3339 in UTC with exactly three decimals: `2026-03-20T14:22:01.481Z`. Times are never floats, which
could lose a millisecond in conversions.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR_MINUTE = r"(?:[01]\d|2[0-3]):[0-5]\d"  # newer Pythons also accept 24:00, which RFC 3339 does not allow
_RFC3339 = re.compile(rf"\d{{4}}-\d\d-\d\d[Tt]{_HOUR_MINUTE}:\d\d(?:\.\d{{1,9}})?(?:[Zz]|[+-]{_HOUR_MINUTE})", re.ASCII)
MIN_MS = -62_135_596_800_000
"""0001-01-01T00:00:00.000Z, the earliest instant with a text form."""
MAX_MS = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z, the latest instant with a text form (RFC 3339 years have four digits)."""


def to_text(ms: int) -> str:
    """`2026-03-20T14:22:01.481Z`."""
    return to_datetime(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_text(text: str) -> int:
    """Parse any RFC 3339 date-time (§5.6), offsets included; digits beyond milliseconds are cut off.

    Raises ValueError for anything else.
    """
    if not _RFC3339.fullmatch(text):
        raise ValueError("not an RFC 3339 instant such as 2026-03-20T14:22:01.481Z")
    ms = from_datetime(datetime.fromisoformat(text.upper()))
    if not MIN_MS <= ms <= MAX_MS:
        raise ValueError("the offset takes this instant out of the years 0001 to 9999 UTC")
    return ms


def to_datetime(ms: int) -> datetime:
    """An aware UTC datetime."""
    return _EPOCH + timedelta(milliseconds=ms)


def from_datetime(instant: datetime) -> int:
    """Milliseconds of an aware datetime, rounded down."""
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def day(ms: int) -> str:
    """The UTC date: `2026-03-20`."""
    return to_text(ms)[:10]


def first_midnight_at_or_after(ms: int) -> int:
    """The first midnight UTC that is not earlier than `ms`."""
    return -(-ms // DAY_MS) * DAY_MS
