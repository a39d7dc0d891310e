# SPDX-License-Identifier: Apache-2.0
"""What this machine knows about one local ledger, in one directory.

Invariant: whatever `down` needs is on disk before it is needed, so a ledger can be stopped by another
process than the one that started it, and a directory describes at most one running emulator.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_STATE = ROOT / ".local"

#: Longer than any `up` takes: whoever still holds the lock after that is stuck.
_LOCK_SECONDS = 300


class LocalError(Exception):
    """Something a person can act on, told in one line."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """The emulator process, and what has been deployed into it."""

    pid: int
    #: When the process began, as the operating system tells it: a pid alone may have been reused.
    started: str
    port: int
    #: A process that is meant to stop this emulator (a test session); 0 where a person does.
    owner_pid: int = 0
    owner_started: str = ""
    #: Hash of the sources that were deployed; empty until a deployment has succeeded.
    digest: str = ""
    #: The answer of `indelible org create`; a secret, and shown once only.
    org: dict[str, str] | None = None


@dataclass(frozen=True)
class State:
    """One state directory."""

    directory: Path

    @property
    def outputs(self) -> Path:
        """What clients need to know; see local.env."""
        return self.directory / "outputs.json"

    @property
    def emulator_log(self) -> Path:
        """The emulator's output, and with it that of the functions."""
        return self.directory / "emulator.log"

    @property
    def deploy_log(self) -> Path:
        """The CDK command line's output."""
        return self.directory / "deploy.log"

    @property
    def assembly(self) -> Path:
        """What the CDK synthesized."""
        return self.directory / "cdk.out"

    @property
    def temporary(self) -> Path:
        """The emulator's TMPDIR: unpacked functions, and its own pid file."""
        return self.directory / "tmp"

    @property
    def external(self) -> Path:
        """The stand-ins for the anchoring providers, where they run; see local.external."""
        return self.directory / "external"

    @property
    def _running(self) -> Path:
        return self.directory / "emulator.json"

    def load(self) -> Running | None:
        """What was last written, whether or not that process still runs."""
        try:
            return Running(**json.loads(self._running.read_text(encoding="utf-8")))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, TypeError) as error:
            raise LocalError(f"{self._running} cannot be read ({error}); remove it") from error

    def save(self, running: Running) -> None:
        """Readable by its owner only: the organisation's secret is in it."""
        write_private(self._running, asdict(running))

    def forget(self) -> None:
        """Remove what described an emulator that is gone; logs stay for reading."""
        for path in (self.outputs, self._running):
            path.unlink(missing_ok=True)
        for folder in (self.temporary, self.assembly):
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """One `up` or `down` at a time in this directory. Released by the system if we die."""
        self.directory.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + _LOCK_SECONDS
        with (self.directory / "lock").open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise LocalError(f"another command is still at work on {self.directory}") from None
                    time.sleep(0.2)
            yield


def write_private(path: Path, value: object) -> None:
    """Replace ``path`` as a whole with JSON that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
    draft.replace(path)
