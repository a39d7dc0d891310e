# SPDX-License-Identifier: Apache-2.0
"""Scanning parts of a source: here, or in other processes, in the order of the source and a bounded number ahead."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor

from indelible.audit.scan import Ask, Scanned
from indelible.audit.source import Part, Source

_AHEAD = 4
"""Parts in the hands of each process, or waiting for it."""

_mine: tuple[Source, Ask] | None = None


def scans(source: Source, parts: Iterable[Part], ask: Ask, *, jobs: int) -> Iterator[tuple[Part, Scanned | None]]:
    """Each part with what its scan found, in order. With several `jobs` the source must be picklable."""
    if jobs <= 1:
        for part in parts:
            yield part, source.scan(part, ask)
        return
    # A fresh interpreter: nothing that this process holds (threads, connections) is copied in the middle of its work.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(source, ask)) as pool:
        ahead: deque[tuple[Part, Future[Scanned | None]]] = deque()
        try:
            for part in parts:
                ahead.append((part, pool.submit(_scan, part)))
                if len(ahead) > jobs * _AHEAD:
                    first, future = ahead.popleft()
                    yield first, future.result()
            while ahead:
                first, future = ahead.popleft()
                yield first, future.result()
        finally:
            for _, future in ahead:
                future.cancel()


def _begin(source: Source, ask: Ask) -> None:
    global _mine
    _mine = source, ask


def _scan(part: Part) -> Scanned | None:
    if _mine is None:
        raise RuntimeError("a worker scans after it has begun")
    source, ask = _mine
    return source.scan(part, ask)
