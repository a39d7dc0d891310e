# SPDX-License-Identifier: Apache-2.0
"""Runs the stand-ins as a background process, as long as an emulator.

Invariant: what `stop` needs is on disk as soon as they run, and no signal is sent to another process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from local.process import is_same, started_at, stop_group
from local.state import ROOT, LocalError, write_private

_READY_SECONDS = 20.0
_ADDRESSES, _PROCESS, _LOG = "addresses.json", "process.json", "stand-ins.log"
#: Handles of the processes that this process started, which may outlive it.
_started: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """The stand-ins' URLs, and what verifies their answers. ``witness_logs``: a file of the logs that it cosigns."""

    timestamp_authority: str
    timestamp_root: str
    calendar: str
    bitcoin_headers: str
    witness: str
    witness_key: str
    witness_logs: str

    @classmethod
    def load(cls, directory: Path) -> Addresses | None:
        """Read the file; None if it does not exist yet."""
        try:
            return cls(**json.loads((directory / _ADDRESSES).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def save(self, directory: Path) -> None:
        """Write the file atomically."""
        write_private(directory / _ADDRESSES, asdict(self))

    def settings(self) -> dict[str, str]:
        """CDK context (``-c key=value``) of a ledger that uses the stand-ins."""
        return {
            "timestamp_authorities": json.dumps({"stand-in": self.timestamp_authority}),
            "calendars": json.dumps({"stand-in": self.calendar}),
            "witnesses": json.dumps({self.witness_key: self.witness}),
            "witness_quorum": "1",
        }

    def introduce(self, verifier_keys: Iterable[str]) -> None:
        """Give the witness the verifier keys of the logs that it may cosign."""
        path = Path(self.witness_logs)
        draft = path.with_suffix(".new")
        draft.write_text("".join(f"{key}\n" for key in verifier_keys), encoding="utf-8")
        draft.replace(path)


def running(directory: Path) -> Addresses | None:
    """The addresses of the stand-ins, if they run."""
    process = _process(directory)
    return Addresses.load(directory) if process and is_same(*process) else None


def start(directory: Path) -> Addresses:
    """Start the stand-ins, unless they run, and wait until they answer. Raises LocalError."""
    found = running(directory)
    if found is not None:
        return found
    directory.mkdir(parents=True, exist_ok=True)
    (directory / _ADDRESSES).unlink(missing_ok=True)
    with (directory / _LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.external", "--directory", str(directory.resolve())],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _started[process.pid] = process
    write_private(directory / _PROCESS, {"pid": process.pid, "started": started_at(process.pid)})
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        found = Addresses.load(directory)
        if found is not None:
            return found
        if process.poll() is not None:
            break
        time.sleep(0.05)
    stop(directory)
    lines = (directory / _LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise LocalError(f"the stand-ins did not start ({lines[-1] if lines else 'no output'}); see {directory / _LOG}")


def stop(directory: Path) -> None:
    """Stop the stand-ins, if they run. The authority's certificates stay, so that its tokens can still be verified."""
    process = _process(directory)
    if process is not None:
        stop_group(*process)
        if process[0] in _started:
            _started.pop(process[0]).wait()
    for name in (_ADDRESSES, _PROCESS):
        (directory / name).unlink(missing_ok=True)


def published_keys(api_url: str) -> list[str]:
    """The verifier keys of the ledger's own log, from GET /v1/keys."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{api_url}/v1/keys", timeout=30) as answer:
        return [str(key["verifier_key"]) for key in json.load(answer)["keys"]]


def _process(directory: Path) -> tuple[int, str] | None:
    try:
        process = json.loads((directory / _PROCESS).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    return int(process["pid"]), str(process["started"])
