# SPDX-License-Identifier: Apache-2.0
"""The machine: time, chance, doing things at once, and what operators get to see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    """Time, and waiting."""

    def now_ms(self) -> int:
        """Unix time in milliseconds."""
        ...

    def sleep_ms(self, duration_ms: float) -> None:
        """Wait."""
        ...


class Entropy(Protocol):
    """Randomness. Safe after a snapshot restore: read from the operating system each time."""

    def bits(self, count: int) -> int:
        """That many random bits as an integer."""
        ...

    def fraction(self) -> float:
        """Uniform in [0, 1)."""
        ...


class Workers(Protocol):
    """Doing independent things at the same time."""

    def gather(self, thunks: Sequence[Callable[[], T]]) -> list[T | Exception]:
        """Run all, wait for all; a thunk's exception stands in its place."""
        ...


class Telemetry(Protocol):
    """Counts and notes for operators. Never payloads, never secrets."""

    def count(self, name: str, value: float = 1, *, unit: str = "Count") -> None:
        """Add to a metric (docs/operations.md lists them)."""
        ...

    def note(self, message: str, **fields: str | int | float | None) -> None:
        """A structured log line at warning level."""
        ...
