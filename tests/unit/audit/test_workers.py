# SPDX-License-Identifier: Apache-2.0
"""Workers: what happens to one of them is told once and clearly, and none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from indelible.audit import workers
from indelible.audit.segment import Expected
from tests.fakes.slow import PARTS, SlowSource

ROOT = Path(__file__).parents[3]


def command(trouble: str) -> subprocess.Popen[str]:
    """In a process group of its own, as a shell starts it."""
    return subprocess.Popen(
        [sys.executable, "-c", f"from tests.fakes.slow import main; main({trouble!r})"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def worker_of(running: subprocess.Popen[str]) -> int:
    """The number of a worker that is at work."""
    assert running.stdout is not None
    return int(running.stdout.readline())


@pytest.mark.parametrize(
    ("trouble", "word"),
    [
        ("refused", "AWS: An error occurred (AccessDenied)"),
        ("unavailable", "S3 could not be reached: EndpointConnectionError"),
    ],
)
def test_a_worker_s_trouble_is_one_clear_line(trouble: str, word: str) -> None:
    running = command(trouble)
    stdout, stderr = running.communicate(timeout=60)

    assert (running.returncode, stdout) == (2, "")
    assert stderr.startswith("Could not check: ")
    assert word in stderr
    assert stderr.count("\n") == 1


def test_a_worker_that_is_killed_is_no_verdict() -> None:
    running = command("killed")
    stdout, stderr = running.communicate(timeout=60)

    assert (running.returncode, stdout) == (2, "")
    # Older Pythons say before it what became of a thread of their own: they give an answer to work that was taken back.
    assert stderr.splitlines()[-1].startswith("Could not check: a process that was reading it was ended from outside")


def test_an_interrupt_is_no_verdict() -> None:
    """Exit status 1 would say that the evidence is broken."""
    running = command("told")
    worker_of(running)
    os.killpg(running.pid, signal.SIGINT)
    _, stderr = running.communicate(timeout=60)

    assert (running.returncode, stderr) == (2, "Could not check: interrupted\n")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_a_process_that_was_killed(how: signal.Signals) -> None:
    running = command("told")
    worker = worker_of(running)
    running.send_signal(how)
    running.communicate(timeout=60)  # until all who could still write to it are gone

    deadline = time.monotonic() + 20
    while _lives(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _lives(worker)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


class Unknown(SlowSource):
    """Nobody knows how many parts it has."""

    def count(self) -> None:  # type: ignore[override]
        return None


def test_a_worker_is_started_where_it_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(workers.ProcessPoolExecutor, "submit", lambda *_: started.append(1) or Future())

    def scan(count: int, source: Any) -> int:
        started.clear()
        list(workers.scans(source, islice(source.parts(), count), Expected("acme-corp"), jobs=2))
        return len(started)

    monkeypatch.setattr(workers, "_ALONE", 3)
    assert [scan(count, Unknown("")) for count in (2, 3, 4)] == [0, 0, 1]
    assert scan(1, SlowSource("")) == 1


def test_parts_come_in_order_whoever_scans_them() -> None:
    source: Any = SlowSource("", takes=0.001)
    found = workers.scans(source, source.parts(), Expected("acme-corp"), jobs=2)
    assert [part.place for part, _ in found] == [*range(PARTS)]
