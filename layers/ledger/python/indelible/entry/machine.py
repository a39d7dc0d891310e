# SPDX-License-Identifier: Apache-2.0
"""The machine behind the ports: clock, randomness, threads and temporary files.

Invariant: nothing is read ahead or cached, so a process restored from a snapshot repeats neither time nor randomness.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, TypeVar, cast

T = TypeVar("T")


class SystemClock:
    """Wall-clock time."""

    def now_ms(self) -> int:
        """Unix time in milliseconds."""
        return time.time_ns() // 1_000_000

    def sleep_ms(self, duration_ms: float) -> None:
        """Block the calling thread."""
        time.sleep(duration_ms / 1000)


class SystemEntropy:
    """The operating system's random generator."""

    def bits(self, count: int) -> int:
        """An integer of `count` random bits."""
        return secrets.randbits(count)

    def fraction(self) -> float:
        """A number uniform in [0, 1)."""
        return secrets.randbits(53) / 2**53


class ThreadedWorkers:
    """Runs the first thunk in the calling thread and the others in a pool."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def gather(self, thunks: Sequence[Callable[[], T]]) -> list[T | Exception]:
        """Run all and wait for all. The results are in order; an exception takes the place of its thunk's result."""
        if not thunks:
            return []
        others = [self._pool.submit(_outcome, thunk) for thunk in thunks[1:]]
        return [_outcome(thunks[0]), *(other.result() for other in others)]


def _outcome(thunk: Callable[[], T]) -> T | Exception:
    try:
        return thunk()
    except Exception as error:
        return error


class TemporaryFiles:
    """Files in the directory for temporary files (`TMPDIR`; `/tmp` in a function)."""

    def file(self) -> BinaryIO:
        """An unnamed file, open for reading and writing, gone when it is closed."""
        return cast("BinaryIO", tempfile.TemporaryFile())


class NoTelemetry:
    """For the command line, which reports errors by its exit code and message."""

    def count(self, name: str, value: float = 1, *, unit: str = "Count") -> None:
        """Do nothing."""

    def note(self, message: str, **fields: str | int | float | None) -> None:
        """Do nothing."""
