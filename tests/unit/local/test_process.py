# SPDX-License-Identifier: Apache-2.0
"""Signals go to processes that this program started, to all of their group, and to no others."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from local.process import is_same, started_at, stop_group

# Prints the pid of a child of its own, which ignores SIGTERM, and sleeps.
STUBBORN = """
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"],
    stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def sleeper():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def test_a_process_is_itself_and_nobody_else(sleeper) -> None:
    assert is_same(sleeper.pid, started_at(sleeper.pid))
    assert not is_same(sleeper.pid, "ticks:1")
    assert not is_same(sleeper.pid, "")
    assert started_at(sleeper.pid) != ""
    assert started_at(0) == ""


def test_a_zombie_counts_as_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    deadline = time.monotonic() + 10
    while started_at(process.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert started_at(process.pid) == ""
    process.wait()


def test_a_reused_pid_is_left_alone(sleeper) -> None:
    stop_group(sleeper.pid, "ticks:1")
    assert sleeper.poll() is None


def test_our_own_group_is_never_signalled() -> None:
    stop_group(os.getpid(), "someone else")
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        # Alive and identified, but not the leader of a group of its own.
        stop_group(child.pid, started_at(child.pid))
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()


def test_the_whole_group_ends_even_where_a_member_ignores_the_request(monkeypatch) -> None:
    monkeypatch.setattr("local.process._TERM_SECONDS", 0.5)
    leader = subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert leader.stdout is not None
    member = int(leader.stdout.readline())
    stop_group(leader.pid, started_at(leader.pid))
    leader.stdout.close()
    leader.wait()
    assert started_at(leader.pid) == ""
    deadline = time.monotonic() + 5
    while started_at(member) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert started_at(member) == ""
