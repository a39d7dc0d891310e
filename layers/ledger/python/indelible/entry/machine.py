# SPDX-License-Identifier: Apache-2.0
"""Clock, randomness and threads of the machine that this runs on."""

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
        """Wait."""
        time.sleep(duration_ms / 1000)


class SystemEntropy:
    """The operating system's randomness, asked each time: a restored snapshot must not repeat itself."""

    def bits(self, count: int) -> int:
        """That many random bits."""
        return secrets.randbits(count)

    def fraction(self) -> float:
        """Uniform in [0, 1)."""
        return secrets.randbits(53) / 2**53


class ThreadedWorkers:
    """Runs the first thunk itself and the others in a pool."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def gather(self, thunks: Sequence[Callable[[], T]]) -> list[T | Exception]:
        """Run all, wait for all; a thunk's exception stands in its place."""
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
    """In the machine's directory for such files (`TMPDIR`; `/tmp` in a function)."""

    def file(self) -> BinaryIO:
        """A file without a name."""
        return cast("BinaryIO", tempfile.TemporaryFile())


class NoTelemetry:
    """For a command line: what goes wrong is in the exit code and the message."""

    def count(self, name: str, value: float = 1, *, unit: str = "Count") -> None:
        """Nothing."""

    def note(self, message: str, **fields: str | int | float | None) -> None:
        """Nothing."""
