# SPDX-License-Identifier: Apache-2.0
"""Which AWS calls are made, when each was sent and when its answer was there, as botocore itself reports.

Every attempt counts, the SDK's own retries included. For tests of round trips and for the benchmark.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3


@dataclass(frozen=True)
class Call:
    """One request. Times are of `time.perf_counter_ns`; `ended` is 0 while there is no answer."""

    operation: str
    target: str
    began: int
    ended: int = 0


class Calls:
    """What was called since `clear`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._open = threading.local()

    def clear(self) -> None:
        """Forget what was called so far."""
        with self._lock:
            self._calls.clear()

    def all(self) -> list[Call]:
        """In the order in which they were sent."""
        with self._lock:
            return sorted(self._calls, key=lambda call: call.began)

    def counts(self) -> Counter[str]:
        """How many of each operation."""
        return Counter(call.operation for call in self.all())

    def sent(self, request: Any, event_name: str, **_: Any) -> None:
        """`before-send`: in the thread that sends."""
        self._open.operation = event_name.rpartition(".")[2]
        self._open.target = _target(self._open.operation, request)
        self._open.began = time.perf_counter_ns()

    def answered(self, **_: Any) -> None:
        """`response-received`: in the same thread."""
        call = Call(self._open.operation, self._open.target, self._open.began, time.perf_counter_ns())
        with self._lock:
            self._calls.append(call)


@contextmanager
def recorded() -> Iterator[Calls]:
    """Watch every client that is made with `boto3.client` meanwhile."""
    before = boto3.DEFAULT_SESSION
    boto3.setup_default_session()
    session = boto3.DEFAULT_SESSION
    assert session is not None
    calls = Calls()
    session.events.register("before-send", calls.sent)
    session.events.register("response-received", calls.answered)
    try:
        yield calls
    finally:
        boto3.DEFAULT_SESSION = before


def _target(operation: str, request: Any) -> str:
    """The first partition key that a DynamoDB request names, else the path of the URL."""
    if operation in ("PutItem", "GetItem"):
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        return body.partition('"pk":')[2].partition('"S":')[2].partition('"')[2].partition('"')[0]
    return str(request.url).partition("://")[2].partition("/")[2]
