# SPDX-License-Identifier: Apache-2.0
"""The machine: time, randomness, concurrency, and what operators get to see. Nothing here raises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    """Time, and waiting."""

    def now_ms(self) -> int:
        """Unix time in milliseconds. May go backwards: records are kept in order by the chain, not by the clock."""
        ...

    def sleep_ms(self, duration_ms: float) -> None:
        """Block for at least so long."""
        ...


class Entropy(Protocol):
    """Randomness, read from the operating system each time: a process restored from a snapshot repeats nothing."""

    def bits(self, count: int) -> int:
        """A uniform integer in [0, 2**count)."""
        ...

    def fraction(self) -> float:
        """A uniform number in [0, 1)."""
        ...


class Workers(Protocol):
    """A pool for independent calls."""

    def gather(self, thunks: Sequence[Callable[[], T]]) -> list[T | Exception]:
        """Run all concurrently, and wait until all have ended.

        The results are in the order of the thunks, with an exception in the place of the result where one was raised.
        """
        ...


class Telemetry(Protocol):
    """Metrics and log lines for operators. Callers never pass payloads or secrets."""

    def count(self, name: str, value: float = 1, *, unit: str = "Count") -> None:
        """Add a value to a metric; docs/operations.md lists them."""
        ...

    def note(self, message: str, **fields: str | int | float | None) -> None:
        """Write a structured log line at level WARNING."""
        ...
