# SPDX-License-Identifier: Apache-2.0
"""A minimal HTTP server for the stand-ins, on loopback only."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"
_MAX_BYTES = 64 * 1024


@dataclass(frozen=True)
class Request:
    """A request. ``path`` is without the host."""

    method: str
    path: str
    content_type: str
    body: bytes


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


Program = Callable[[Request], Answer]


class Server:
    """Serves a program on a port; 0 chooses a free one."""

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
                """Log nothing."""

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
        if not length.isdigit() or int(length) > _MAX_BYTES:
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
    """Serve a program during the block. ``make`` is called with the URL, which is also yielded."""
    server = Server()
    server.run(make(server.url))
    try:
        yield server.url
    finally:
        server.close()
