# SPDX-License-Identifier: Apache-2.0
"""Processes, identified by pid and start time, because the system reuses pids.

Invariant: no signal is sent to a process that this program did not start.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

_TERM_SECONDS = 10.0
_KILL_SECONDS = 5.0


def started_at(pid: int) -> str:
    """The start time of a process, in a format of the operating system; empty if no such process is alive."""
    if pid <= 0:
        return ""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            # The command, in parentheses, may itself contain spaces and parentheses.
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return ""
        # Field 3 is the state, field 22 the start in clock ticks since boot.
        return "" if fields[0] in "ZX" else f"ticks:{fields[19]}"
    output = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False, timeout=10
    ).stdout.strip()
    return "" if not output or output.startswith("Z") else output.partition(" ")[2].strip()


def is_same(pid: int, started: str) -> bool:
    """Whether the process that was recorded as (pid, started) is alive."""
    return bool(started) and started_at(pid) == started


def stop_group(pid: int, started: str) -> None:
    """Stop a process that leads a group, and the whole group: SIGTERM, then SIGKILL."""
    if not is_same(pid, started) or os.getpgid(pid) != pid:
        return
    for number, patience in ((signal.SIGTERM, _TERM_SECONDS), (signal.SIGKILL, _KILL_SECONDS)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not _group_lives(pid):
                return
            time.sleep(0.05)


def _group_lives(pid: int) -> bool:
    # Reap the leader if it is our own child: a zombie would keep the group alive.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
