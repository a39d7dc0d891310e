# SPDX-License-Identifier: Apache-2.0
"""Requests to external parties: bounded in time, bytes and attempts, and never sent on to somebody else.

Invariant: whatever comes back, or does not, is an `Answer` or an `ExternalFailure`. Only the configured address is
contacted: redirects are failures, and no address is ever taken from an answer.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Retry, Timeout

from indelible.ports.external import BadAnswer, NoAnswer

_CONNECT_SECONDS, _READ_SECONDS = 3.0, 8.0
_ALL_SECONDS = 25.0
_NOT_NOW = (429, 502, 503, 504)
# All that is asked here may be asked twice: each answer is good, and the first one that is stored counts.
_RETRIES = Retry(
    total=2,
    redirect=0,
    other=0,
    status_forcelist=_NOT_NOW,
    allowed_methods=None,
    backoff_factor=0.2,
    respect_retry_after_header=False,
    raise_on_redirect=False,
    raise_on_status=False,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, with a status below 500 that is no redirect. `content_type` is as it was sent."""

    status: int
    content_type: str
    body: bytes


class Http:
    """`all_seconds` bounds one question with its attempts, the resolution of the name included."""

    def __init__(self, *, all_seconds: float = _ALL_SECONDS) -> None:
        # Knows nothing of proxies, cookies and credentials in the environment.
        self._pool = urllib3.PoolManager(num_pools=16)
        self._all_seconds = all_seconds

    def post(self, url: str, body: bytes, *, content_type: str, accept: str, most_bytes: int) -> Answer:
        """POST. Raises NoAnswer or BadAnswer."""
        headers = {"Content-Type": content_type, "Accept": accept}
        return self._within_time(lambda: self._ask("POST", url, body, headers, most_bytes))

    def get(self, url: str, *, accept: str, most_bytes: int) -> Answer:
        """GET. Raises NoAnswer or BadAnswer."""
        return self._within_time(lambda: self._ask("GET", url, None, {"Accept": accept}, most_bytes))

    def _ask(self, method: str, url: str, body: bytes | None, headers: dict[str, str], most_bytes: int) -> Answer:
        try:
            response = self._pool.request(
                method,
                url,
                body=body,
                headers={"User-Agent": "indelible", "Accept-Encoding": "identity", **headers},
                timeout=Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS),
                retries=_RETRIES,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            try:
                data = _read(response, most_bytes + 1)
            finally:
                response.close()
        except HTTPError as error:
            raise NoAnswer(f"no answer: {type(error).__name__}") from None
        if response.status >= 500 or response.status in _NOT_NOW:
            raise NoAnswer(f"not able to answer: HTTP {response.status}")
        if 300 <= response.status < 400:
            raise BadAnswer(f"would send us elsewhere: HTTP {response.status}")
        if len(data) > most_bytes:
            raise BadAnswer(f"an answer of more than {most_bytes} bytes")
        return Answer(response.status, response.headers.get("Content-Type", ""), data)

    def _within_time(self, ask: Callable[[], Answer]) -> Answer:
        """Wait no longer than for all of it; who sends a byte now and then would keep a socket waiting for ever.

        A thread that is given up ends when its socket does. It holds nothing that anybody waits for.
        """
        outcome: queue.SimpleQueue[Answer | Exception] = queue.SimpleQueue()

        def work() -> None:
            try:
                outcome.put(ask())
            except Exception as error:
                outcome.put(error)

        threading.Thread(target=work, name="external", daemon=True).start()
        try:
            found = outcome.get(timeout=self._all_seconds)
        except queue.Empty:
            raise NoAnswer(f"no whole answer within {self._all_seconds:g} seconds") from None
        if isinstance(found, Exception):
            raise found
        return found


def _read(response: urllib3.BaseHTTPResponse, most: int) -> bytes:
    """To the end, or so many bytes. An end before the announced length is noticed by the reading after it only."""
    data = b""
    while len(data) < most and (more := response.read(most - len(data), decode_content=False)):
        data += more
    return data
