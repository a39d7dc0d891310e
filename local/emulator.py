# SPDX-License-Identifier: Apache-2.0
"""Runs the emulator, MiniStack, as a background process: bound to loopback, with all its files in the state directory.

Invariant: emulators of two checkouts share no port, file or process, and `stop` leaves nothing running.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

from local.external import stand_ins
from local.process import is_same, started_at, stop_group
from local.state import LocalError, Running, State

HOST = "127.0.0.1"
_HEALTHY_SECONDS = 30.0
#: Handles of the emulators that this process started, which may outlive it.
_started: dict[int, subprocess.Popen[bytes]] = {}


def endpoint(port: int) -> str:
    """The base URL of every AWS service."""
    return f"http://{HOST}:{port}"


def running(state: State) -> Running | None:
    """The emulator of this state directory, if it is alive."""
    found = state.load()
    return found if found and is_same(found.pid, found.started) else None


def start(state: State, port: int, *, owned: bool = False, iam: bool = False) -> Running:
    """Start an emulator and wait until it answers. Raises LocalError.

    ``owned``: the calling process will stop it; if that process dies, `stop_abandoned` does. ``iam``: evaluate
    signatures, trust policies, identity policies and bucket policies; the access key ``test`` is the account's root.
    """
    _require_free(port)
    state.forget()
    state.temporary.mkdir(parents=True, exist_ok=True)
    with state.emulator_log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            cwd=state.temporary,
            env=_environment(state, port) | ({"AUTH": "true"} if iam else {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # A process group of its own, which its function workers join: stop() ends the group.
            start_new_session=True,
        )
    _started[process.pid] = process
    found = Running(pid=process.pid, started=started_at(process.pid), port=port)
    if owned:
        found = replace(found, owner_pid=os.getpid(), owner_started=started_at(os.getpid()))
    state.save(found)
    try:
        _await_healthy(process, state, port)
    except BaseException:
        stop(state)
        raise
    return found


def stop(state: State) -> Running | None:
    """Stop the emulator, its function workers and the stand-ins, and remove their files. Returns what was running."""
    stand_ins.stop(state.external)
    found = running(state)
    if found:
        stop_group(found.pid, found.started)
        if is_same(found.pid, found.started):
            raise LocalError(f"the emulator (process {found.pid}) does not stop; see {state.emulator_log}")
        if found.pid in _started:
            _started.pop(found.pid).wait()
    state.forget()
    return found


def stop_abandoned(directory: Path) -> None:
    """Stop emulators in subdirectories of ``directory`` whose owner has died."""
    for path in sorted(directory.glob("*/emulator.json")):
        state = State(path.parent)
        found = state.load()
        if found and found.owner_pid and not is_same(found.owner_pid, found.owner_started):
            stop(state)


def _environment(state: State, port: int) -> dict[str, str]:
    """A minimal environment. The functions inherit it, and must see neither credentials nor settings of the user."""
    search = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    return {
        "PATH": os.pathsep.join(search),
        "HOME": str(state.temporary),
        "TMPDIR": str(state.temporary),
        "LC_ALL": "C.UTF-8",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        # With persistence, objects would come back after a restart without their locks.
        "PERSIST_STATE": "0",
        # Listeners on fixed ports, which a second emulator could not open.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # MiniStack removes containers of other MiniStacks when it starts; it must not touch those of the user.
        "DOCKER_HOST": f"unix://{state.temporary}/none.sock",
        "LAMBDA_EXECUTOR": "local",
    }


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        # As the emulator does: a port in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            why = "is in use by another program" if not isinstance(error, PermissionError) else "needs privileges"
            raise LocalError(f"port {port} {why}; choose another one: make up PORT={port + 1}") from None


def _await_healthy(process: subprocess.Popen[bytes], state: State, port: int) -> None:
    deadline = time.monotonic() + _HEALTHY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LocalError(f"the emulator ended immediately ({_last_line(state)}); see {state.emulator_log}")
        if healthy(port):
            return
        time.sleep(0.05)
    raise LocalError(f"the emulator does not answer on port {port}; see {state.emulator_log}")


def healthy(port: int) -> bool:
    """Whether an emulator answers on this port."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{endpoint(port)}/_ministack/health", timeout=2) as answer:
            return answer.status == 200 and isinstance(json.load(answer), dict)
    except (OSError, ValueError):
        return False


def _last_line(state: State) -> str:
    lines = state.emulator_log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "no output")
