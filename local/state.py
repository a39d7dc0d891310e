# SPDX-License-Identifier: Apache-2.0
"""The state directory of a local ledger.

Invariant: what `down` needs is on disk as soon as there is something to stop, so any process can stop a ledger. A
directory describes at most one running emulator.
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

#: Longer than any `up` takes.
_LOCK_SECONDS = 300


class LocalError(Exception):
    """An expected error, with a message of one line that tells the user what to do."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """The emulator's process, and what has been deployed to it."""

    pid: int
    #: Start time of the process (see local.process): a pid alone may have been reused.
    started: str
    port: int
    #: The process that will stop this emulator (a test session); 0 if a person does.
    owner_pid: int = 0
    owner_started: str = ""
    #: Hash of the sources that were deployed; empty until a deployment has succeeded.
    digest: str = ""
    #: The answer of `indelible org create`, which contains a secret.
    org: dict[str, str] | None = None


@dataclass(frozen=True)
class State:
    """One state directory."""

    directory: Path

    @property
    def outputs(self) -> Path:
        """The settings that clients need; see local.env."""
        return self.directory / "outputs.json"

    @property
    def emulator_log(self) -> Path:
        """The output of the emulator and of the functions."""
        return self.directory / "emulator.log"

    @property
    def deploy_log(self) -> Path:
        """The output of the CDK CLI."""
        return self.directory / "deploy.log"

    @property
    def assembly(self) -> Path:
        """The synthesized cloud assembly."""
        return self.directory / "cdk.out"

    @property
    def temporary(self) -> Path:
        """The emulator's TMPDIR: unpacked functions, and its own pid file."""
        return self.directory / "tmp"

    @property
    def external(self) -> Path:
        """The files of the stand-ins for anchoring providers; see local.external."""
        return self.directory / "external"

    @property
    def _running(self) -> Path:
        return self.directory / "emulator.json"

    def load(self) -> Running | None:
        """What was saved last, whether or not that process is still alive. Raises LocalError."""
        try:
            return Running(**json.loads(self._running.read_text(encoding="utf-8")))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, TypeError) as error:
            raise LocalError(f"{self._running} cannot be read ({error}); remove it") from error

    def save(self, running: Running) -> None:
        """Write it, readable by the owner only: it contains the organisation's secret."""
        write_private(self._running, asdict(running))

    def forget(self) -> None:
        """Remove the files of a stopped emulator, except its logs."""
        for path in (self.outputs, self._running):
            path.unlink(missing_ok=True)
        for folder in (self.temporary, self.assembly):
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Allow one `up` or `down` at a time in this directory. The system releases the lock if the process dies."""
        self.directory.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + _LOCK_SECONDS
        with (self.directory / "lock").open("w") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise LocalError(f"another command is still using {self.directory}") from None
                    time.sleep(0.2)
            yield


def write_private(path: Path, value: object) -> None:
    """Replace ``path`` atomically with JSON that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
    draft.replace(path)
