# SPDX-License-Identifier: Apache-2.0
"""The machine: time that moves when told, chance that repeats, workers in a known order."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

MIDNIGHT = 1_773_964_800_000
"""2026-03-20T00:00:00.000Z; the clock starts at 14:22:01.481 of that day."""


@dataclass(slots=True)
class ManualClock:
    """Clock: `sleep_ms` moves it, and so does a test."""

    now: int = MIDNIGHT + 51_721_481
    sleeps: list[float] = field(default_factory=list)

    def now_ms(self) -> int:
        return self.now

    def sleep_ms(self, duration_ms: float) -> None:
        assert duration_ms >= 0, "nobody sleeps backwards"
        self.sleeps.append(duration_ms)
        self.now += round(duration_ms)

    def advance(self, duration_ms: int) -> None:
        self.now += duration_ms


class SeededEntropy:
    """Entropy, the same in every run."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def bits(self, count: int) -> int:
        return self._random.getrandbits(count)

    def fraction(self) -> float:
        return self._random.random()


@dataclass(frozen=True, slots=True)
class SequentialWorkers:
    """Workers, one after the other, in either order: what runs at the same time may end in any."""

    backwards: bool = False

    def gather(self, thunks: Sequence[Callable[[], T]]) -> list[T | Exception]:
        order = range(len(thunks))
        done = {index: _outcome(thunks[index]) for index in (reversed(order) if self.backwards else order)}
        return [done[index] for index in order]


@dataclass(frozen=True, slots=True)
class ThreadedWorkers:
    """Workers on real threads."""

    threads: int = 8

    def gather(self, thunks: Sequence[Callable[[], T]]) -> list[T | Exception]:
        with ThreadPoolExecutor(self.threads) as pool:
            futures: list[Future[T | Exception]] = [pool.submit(_outcome, thunk) for thunk in thunks]
            return [future.result() for future in futures]


@dataclass(slots=True)
class RecordingTelemetry:
    """Telemetry that a test can read."""

    counts: dict[str, float] = field(default_factory=dict)
    notes: list[tuple[str, dict[str, str | int | float | None]]] = field(default_factory=list)

    def count(self, name: str, value: float = 1, *, unit: str = "Count") -> None:
        self.counts[name] = self.counts.get(name, 0) + value

    def note(self, message: str, **fields: str | int | float | None) -> None:
        self.notes.append((message, fields))


def _outcome(thunk: Callable[[], T]) -> T | Exception:
    try:
        return thunk()
    except AssertionError:
        raise  # a fake's verdict on the code under test is not an outcome
    except Exception as error:
        return error
