# SPDX-License-Identifier: Apache-2.0
"""The range that a request asks for, by sequences or by time."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from msgspec import UNSET, UnsetType

from indelible.domain import instants
from indelible.errors import InvalidField
from indelible.services.ranges import Range


class RangeRequest(Protocol):
    """The members of a request that name a range."""

    start_seq: int | UnsetType
    end_seq: int | UnsetType
    from_: datetime | UnsetType
    to: datetime | UnsetType


def asked_range(request: RangeRequest) -> Range:
    """Raises InvalidField where an end comes before its beginning."""
    asked = Range(
        start_seq=None if request.start_seq is UNSET else request.start_seq,
        end_seq=None if request.end_seq is UNSET else request.end_seq,
        from_ms=_instant(request.from_),
        to_ms=_instant(request.to),
    )
    if (asked.end_seq or 0) and (asked.start_seq or 1) > (asked.end_seq or 0):
        raise InvalidField("must not be before start_seq", field="end_seq")
    if asked.to_ms is not None and asked.from_ms is not None and asked.from_ms > asked.to_ms:
        raise InvalidField("must not be before from", field="to")
    return asked


def _instant(given: datetime | UnsetType) -> int | None:
    return None if isinstance(given, UnsetType) else instants.from_datetime(given)
