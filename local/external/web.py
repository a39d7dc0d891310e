# SPDX-License-Identifier: Apache-2.0
"""The little HTTP that the stand-ins speak: one request in, one answer out, on loopback only."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"
_MOST_BYTES = 64 * 1024


@dataclass(frozen=True)
class Request:
    """What came. ``path`` is without the host."""

    method: str
    path: str
    content_type: str
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


Program = Callable[[Request], Answer]


class Server:
    """A program behind a port of its own. ``port`` 0: any that is free."""

    def __init__(self, port: int = 0) -> None:
        self._program: Program = lambda _: Answer(503, b"not ready\n")
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10

            def _serve(self) -> None:
                server._answer(self)

            do_GET = do_POST = _serve  # noqa: N815 - the base class looks for these names

            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing."""

        self._http = ThreadingHTTPServer((HOST, port), Handler)
        self._http.daemon_threads = True
        self.url = f"http://{HOST}:{self._http.server_port}"

    def run(self, program: Program) -> None:
        """Answer with this program from now on, in a thread of its own."""
        self._program = program
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._http.shutdown()
        self._http.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        length = handler.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _MOST_BYTES:
            handler.close_connection = True
            self._send(handler, Answer(413, b"too large\n"))
            return
        request = Request(
            method=handler.command,
            path=handler.path,
            content_type=handler.headers.get("Content-Type", ""),
            body=handler.rfile.read(int(length)),
        )
        self._send(handler, self._program(request))

    def _send(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        with contextlib.suppress(ConnectionError):
            handler.send_response(answer.status)
            handler.send_header("Content-Type", answer.content_type)
            handler.send_header("Content-Length", str(len(answer.body)))
            handler.end_headers()
            handler.wfile.write(answer.body)


@contextlib.contextmanager
def serving(make: Callable[[str], Program]) -> Iterator[str]:
    """The URL of a program that lives as long as the block; ``make`` is told the URL."""
    server = Server()
    server.run(make(server.url))
    try:
        yield server.url
    finally:
        server.close()
