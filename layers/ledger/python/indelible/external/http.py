# SPDX-License-Identifier: Apache-2.0
"""HTTP requests to anchoring providers, bounded in time, bytes and attempts.

Invariant: each request ends in an `Answer` or an `ExternalFailure`. Only the configured address is contacted: redirects
are failures, and no address is taken from an answer.
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
_TOTAL_SECONDS = 25.0
_RETRYABLE = (429, 502, 503, 504)
# Every request here may be repeated: any of its answers is good, and the first one stored counts.
_RETRIES = Retry(
    total=2,
    redirect=0,
    other=0,
    status_forcelist=_RETRYABLE,
    allowed_methods=None,
    backoff_factor=0.2,
    respect_retry_after_header=False,
    raise_on_redirect=False,
    raise_on_status=False,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response whose status is below 500 and not a redirect. `content_type` is the header's value."""

    status: int
    content_type: str
    body: bytes


class Http:
    """`total_seconds` bounds one request with all its attempts, including name resolution."""

    def __init__(self, *, total_seconds: float = _TOTAL_SECONDS) -> None:
        # PoolManager ignores proxies and credentials in the environment, and keeps no cookies.
        self._pool = urllib3.PoolManager(num_pools=16)
        self._total_seconds = total_seconds

    def post(self, url: str, body: bytes, *, content_type: str, accept: str, max_bytes: int) -> Answer:
        """POST, and return at most `max_bytes` of body. Raises NoAnswer or BadAnswer."""
        headers = {"Content-Type": content_type, "Accept": accept}
        return self._within_time(lambda: self._request("POST", url, body, headers, max_bytes))

    def get(self, url: str, *, accept: str, max_bytes: int) -> Answer:
        """GET, and return at most `max_bytes` of body. Raises NoAnswer or BadAnswer."""
        return self._within_time(lambda: self._request("GET", url, None, {"Accept": accept}, max_bytes))

    def _request(self, method: str, url: str, body: bytes | None, headers: dict[str, str], max_bytes: int) -> Answer:
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
                data = _read(response, max_bytes + 1)
            finally:
                response.close()
        except HTTPError as error:
            raise NoAnswer(f"no answer: {type(error).__name__}") from None
        if response.status >= 500 or response.status in _RETRYABLE:
            raise NoAnswer(f"cannot answer now: HTTP {response.status}")
        if 300 <= response.status < 400:
            raise BadAnswer(f"a redirect: HTTP {response.status}")
        if len(data) > max_bytes:
            raise BadAnswer(f"an answer of more than {max_bytes} bytes")
        return Answer(response.status, response.headers.get("Content-Type", ""), data)

    def _within_time(self, request: Callable[[], Answer]) -> Answer:
        """Run the request in a thread and wait for at most `total_seconds`.

        Socket timeouts alone do not bound it: a server that sends a byte now and then never triggers them. An abandoned
        thread ends with its socket and holds no lock.
        """
        outcome: queue.SimpleQueue[Answer | Exception] = queue.SimpleQueue()

        def work() -> None:
            try:
                outcome.put(request())
            except Exception as error:
                outcome.put(error)

        threading.Thread(target=work, name="external", daemon=True).start()
        try:
            result = outcome.get(timeout=self._total_seconds)
        except queue.Empty:
            raise NoAnswer(f"no complete answer within {self._total_seconds:g} seconds") from None
        if isinstance(result, Exception):
            raise result
        return result


def _read(response: urllib3.BaseHTTPResponse, limit: int) -> bytes:
    """The body, or its first `limit` bytes. urllib3 reports a body that ends early only on the read after its end."""
    data = b""
    while len(data) < limit and (more := response.read(limit - len(data), decode_content=False)):
        data += more
    return data
