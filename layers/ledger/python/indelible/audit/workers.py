# SPDX-License-Identifier: Apache-2.0
"""Scanning the parts of a source in several processes, this one among them, and handing them on in order.

At most a few parts for each process are ahead of the one that is handed on, so memory does not grow with the source.
What a worker could not read is raised here, as if it had been read here; no worker outlives this process.
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
"""Parts that a worker gets at once: a single one is read faster than it is handed over."""
_ALONE = 20
"""Parts that are scanned here before any worker is started, where nobody knows how many there are: in a bucket, some
four thousand records. To start one takes as long."""

_Scanned = tuple[Part, Segment | None]

_mine: tuple[Source, Expected] | None = None


def scans(source: Source, parts: Iterable[Part], expected: Expected, *, jobs: int) -> Iterator[_Scanned]:
    """Each part with what its scan found, in order. With several `jobs` the source must be picklable.

    Raises NotEvidence where a worker ended before its work did, and what reading the source raises.
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
    """Parts, and who scans them; without a future they were scanned here."""

    parts: list[Part]
    future: Future[list[Segment | None]] | None
    found: list[Segment | None] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return self.future is None or self.future.done()

    def take_back(self) -> bool:
        """Whether nobody has begun with them, and now nobody will."""
        return self.future is not None and self.future.cancel()


def _first(ahead: deque[_Batch], source: Source, expected: Expected) -> Iterator[_Scanned]:
    """The first batch's scans. Until they are there, the last ones, which nobody has begun, are scanned here."""
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
    """A parent that was killed tells nobody, and its workers would wait for work for good."""
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
