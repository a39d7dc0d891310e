# SPDX-License-Identifier: Apache-2.0
"""The range of a chain that a request names, by sequence or by time.

Invariant: a range that is returned does not end before it begins.
"""

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


def requested_range(request: RangeRequest) -> Range:
    """Both ends inclusive, None where open. Raises InvalidField where an end comes before its beginning."""
    requested = Range(
        start_seq=None if request.start_seq is UNSET else request.start_seq,
        end_seq=None if request.end_seq is UNSET else request.end_seq,
        from_ms=_unix_ms(request.from_),
        to_ms=_unix_ms(request.to),
    )
    if requested.end_seq is not None and (requested.start_seq or 1) > requested.end_seq:
        raise InvalidField("must not be before start_seq", field="end_seq")
    if requested.to_ms is not None and requested.from_ms is not None and requested.from_ms > requested.to_ms:
        raise InvalidField("must not be before from", field="to")
    return requested


def _unix_ms(instant: datetime | UnsetType) -> int | None:
    return None if isinstance(instant, UnsetType) else instants.from_datetime(instant)
