# SPDX-License-Identifier: Apache-2.0
"""Rounds of the anchor: when the schedule last began one, and how far the round is that an operator waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class RoundStarts(Protocol):
    """When the last scheduled round began, so that a pending proof can say when the next one will.

    A hint: where it is lost or wrong, a client asks again too early or too late, and nothing else happens.
    """

    def begin(self, now_ms: int) -> None:
        """Note that a scheduled round begins at `now_ms` (Unix milliseconds). The last call wins."""
        ...

    def last(self) -> int | None:
        """When the last one began, in Unix milliseconds; None where that is unknown. Not a consistent read."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a round is, after `seconds`. A large round has several pages of batches; these are of the current one."""

    seconds: float
    batches: int = 0
    done: int = 0
