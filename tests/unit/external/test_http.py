# SPDX-License-Identifier: Apache-2.0
"""HTTP requests: whatever the server does, the result is an answer or a typed failure, in bounded time and size."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from indelible.external.http import Http
from indelible.ports.external import BadAnswer, NoAnswer
from local.external.web import Answer, Program, Request, serving


def asked(program: Program, *, max_bytes: int = 100, total_seconds: float = 25) -> object:
    with serving(lambda _: program) as url:
        return Http(total_seconds=total_seconds).post(
            f"{url}/path", b"body", content_type="text/x-asked", accept="text/x-wanted", max_bytes=max_bytes
        )


def test_an_answer_comes_home_as_it_was_sent() -> None:
    seen: list[Request] = []

    def program(request: Request) -> Answer:
        seen.append(request)
        return Answer(409, b"said", "text/x-said")

    found = asked(program)
    assert (found.status, found.content_type, found.body) == (409, "text/x-said", b"said")  # type: ignore[attr-defined]
    assert seen == [Request("POST", "/path", "text/x-asked", b"body")]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nobody_is_sent_elsewhere(status: int) -> None:
    count: list[int] = []

    def program(_: Request) -> Answer:
        count.append(1)
        return Answer(status, b"", "text/plain\r\nLocation: http://127.0.0.1:1/elsewhere")

    with pytest.raises(BadAnswer, match="a redirect"):
        asked(program)
    assert count == [1]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_not_now_is_no_answer(status: int) -> None:
    with pytest.raises(NoAnswer, match=str(status)):
        asked(lambda _: Answer(status, b"sorry"))


def test_who_can_answer_at_the_second_attempt_is_heard() -> None:
    count: list[int] = []

    def program(_: Request) -> Answer:
        count.append(1)
        return Answer(503 if len(count) < 3 else 200, b"fine")

    assert asked(program).body == b"fine"  # type: ignore[attr-defined]
    assert len(count) == 3


def test_attempts_end() -> None:
    count: list[int] = []

    def program(_: Request) -> Answer:
        count.append(1)
        return Answer(503)

    with pytest.raises(NoAnswer):
        asked(program)
    assert len(count) == 3


def test_too_much_is_not_read() -> None:
    assert asked(lambda _: Answer(200, b"x" * 100)).body == b"x" * 100  # type: ignore[attr-defined]
    with pytest.raises(BadAnswer, match="more than 100 bytes"):
        asked(lambda _: Answer(200, b"x" * 60_000_000))


def test_nothing_is_unpacked() -> None:
    answer = asked(lambda _: Answer(200, b"\x1f\x8b", "text/plain\r\nContent-Encoding: gzip"))
    assert answer.body == b"\x1f\x8b"  # type: ignore[attr-defined]


def test_nobody_there_is_no_answer() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(NoAnswer):
            Http().get(f"http://127.0.0.1:{taken.getsockname()[1]}/", accept="*/*", max_bytes=10)
    with pytest.raises(NoAnswer):
        Http().get("http://nobody.invalid/", accept="*/*", max_bytes=10)


@pytest.fixture(params=[b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", b"rubbish\r\n\r\n"], ids=len)
def rude(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server that sends these bytes and closes the connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(request.param)

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def test_who_hangs_up_has_not_answered(rude: str) -> None:
    with pytest.raises(NoAnswer):
        Http().get(rude, accept="*/*", max_bytes=100)


def test_who_sends_a_byte_now_and_then_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = threading.Event()

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while not done.wait(0.05):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        begun = time.monotonic()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(NoAnswer, match=r"within 0\.5 seconds"):
            Http(total_seconds=0.5).get(url, accept="*/*", max_bytes=1000)
        assert time.monotonic() - begun < 3
        done.set()
        thread.join()
