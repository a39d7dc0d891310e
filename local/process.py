# SPDX-License-Identifier: Apache-2.0
"""Process identity: a pid counts only together with the moment at which that process began.

Invariant: no signal goes to a process that this program did not start.
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
    """When ``pid`` began, in the system's own words; empty when there is no such live process."""
    if pid <= 0:
        return ""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            # The command, in parentheses, may itself hold spaces and parentheses.
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return ""
        # Field 3 is the state, field 22 the start in clock ticks since boot.
        return "" if fields[0] in "ZX" else f"ticks:{fields[19]}"
    found = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False, timeout=10
    ).stdout.strip()
    return "" if not found or found.startswith("Z") else found.partition(" ")[2].strip()


def is_same(pid: int, started: str) -> bool:
    """Whether the process that was recorded as (pid, started) is alive."""
    return bool(started) and started_at(pid) == started


def stop_group(pid: int, started: str) -> None:
    """End a process that leads its own group, and everything in the group: TERM, then KILL."""
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
    # Reaps the leader where it is our own child; a zombie would keep the group in being.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
