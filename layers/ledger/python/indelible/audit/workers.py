# SPDX-License-Identifier: Apache-2.0
"""Scan the parts of a source in several processes, this one among them, and yield the results in order.

For each process at most a few parts are scanned ahead of the one that is yielded, so memory does not grow with the
source. An exception in a worker is raised here. No worker outlives this process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import islice
from threading import Thread

from indelible.audit.segment import Expected, Segment
from indelible.audit.source import NotEvidence, Part, Source

_AHEAD = 4
"""Batches for each process."""
_BATCH = 8
"""Parts that a worker gets at once: scanning a single one takes less time than passing it."""
_ALONE = 20
"""Parts that are scanned here before any worker is started, if the source does not say how many there are: some four
thousand records of a bucket. Starting a worker takes as long."""

_Scanned = tuple[Part, Segment | None]

_mine: tuple[Source, Expected] | None = None


def scans(source: Source, parts: Iterable[Part], expected: Expected, *, jobs: int) -> Iterator[_Scanned]:
    """Each part with the result of its scan, in order. With several `jobs` the source must be picklable.

    Raises NotEvidence where a worker was killed, and what reading the source raises.
    """
    if jobs <= 1:
        for part in parts:
            yield part, source.scan(part, expected)
        return
    # Fresh interpreters: nothing that this process holds (threads, connections) is copied in the middle of its work.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs - 1, mp_context=context, initializer=_begin, initargs=(source, expected)) as pool:
        begun: Future[bool] | None = None
        ahead: deque[_Batch] = deque()
        try:
            rest = iter(parts)
            for number, part in enumerate(rest, start=0 if source.count() is None else _ALONE):
                if number >= _ALONE and begun is None:
                    begun = pool.submit(_is_ready)
                if begun is None or not begun.done():  # they are still starting
                    yield part, source.scan(part, expected)
                    continue
                batch = [part, *islice(rest, _BATCH - 1)]
                ahead.append(_Batch(batch, pool.submit(_scan, batch)))
                if len(ahead) > jobs * _AHEAD:
                    yield from _first(ahead, source, expected)
            while ahead:
                yield from _first(ahead, source, expected)
        except BrokenProcessPool:
            raise NotEvidence("a process that was reading it was ended from outside: try again, or --jobs 1") from None
        finally:
            for waiting in ahead:
                if waiting.future is not None:
                    waiting.future.cancel()


@dataclass(slots=True)
class _Batch:
    """Parts, and the future of their scan in a worker; without a future they were scanned here."""

    parts: list[Part]
    future: Future[list[Segment | None]] | None
    found: list[Segment | None] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return self.future is None or self.future.done()

    def take_back(self) -> bool:
        """Take them from the workers, if none has begun with them; whether that was so."""
        return self.future is not None and self.future.cancel()


def _first(ahead: deque[_Batch], source: Source, expected: Expected) -> Iterator[_Scanned]:
    """The scans of the first batch. Until a worker has done them, scan here what is last in the queue."""
    first = ahead.popleft()
    while not first.done:
        last = next((waiting for waiting in reversed(ahead) if waiting.take_back()), None)
        if last is None:
            break
        last.future, last.found = None, [source.scan(part, expected) for part in last.parts]
    return zip(first.parts, first.found if first.future is None else first.future.result(), strict=True)


def _begin(source: Source, expected: Expected) -> None:
    global _mine
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of them; the first process says what it means
    Thread(target=_end_with_parent, daemon=True).start()
    _mine = source, expected


def _end_with_parent() -> None:
    """End this worker with its parent: one that was killed sends no end, and the worker would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _is_ready() -> bool:
    return _mine is not None


def _scan(parts: list[Part]) -> list[Segment | None]:
    if _mine is None:
        raise RuntimeError("a worker scans after it has begun")
    source, expected = _mine
    return [source.scan(part, expected) for part in parts]
