# SPDX-License-Identifier: Apache-2.0
"""Rounds of the anchor: when the schedule last began one, and how far one is that somebody waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class RoundStarts(Protocol):
    """One instant, so that a pending proof can say when the next round begins.

    A convenience: lost or wrong, it misleads nobody but about when to ask again.
    """

    def begin(self, now_ms: int) -> None:
        """A round that the schedule starts at its rate begins now."""
        ...

    def last(self) -> int | None:
        """When the last one began, in milliseconds since 1970; None when none has."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a round is. The batches are those of one page: a large round has several, one after the other."""

    seconds: float
    batches: int = 0
    done: int = 0
