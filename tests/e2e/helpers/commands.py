# SPDX-License-Identifier: Apache-2.0
"""`indelible` and `aws` as a person runs them: each run a process of its own, forked by prefork.py.

That a new interpreter runs them, too, is the business of tests/unit/cli, tests/packaging and tests/e2e/test_local.py.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from local.state import ROOT
from tests.e2e.stand_ins import forked


class Prefork:
    """The process that forks; it ends with this one, whatever becomes of that."""

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="prefork-"))
        self.socket = self._directory / "socket"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.helpers.prefork", str(self.socket)],
            cwd=ROOT,
            # The AWS command line looks for its caches once, when its code is read: a role's credentials of an
            # earlier session's emulator would be in the tester's own home.
            env={**os.environ, "HOME": str(self._directory)},
            stdin=subprocess.PIPE,
        )
        deadline = time.monotonic() + 60
        while not self.socket.exists():
            assert self._process.poll() is None, "the process that forks has ended"
            assert time.monotonic() < deadline, "the process that forks does not listen"
            time.sleep(0.02)

    def stop(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=10)
        shutil.rmtree(self._directory)


@cache
def prefork() -> Prefork:
    """One for a session, which ends it (conftest.py)."""
    return Prefork()


def stop() -> None:
    """End it, if there is one."""
    if prefork.cache_info().currsize:
        prefork().stop()
        prefork.cache_clear()


def indelible(
    *words: object, environment: Mapping[str, str], directory: Path = ROOT, seconds: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run the command, with nothing on stdin."""
    given = [*map(str, words)]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, Path(os.devnull).open("rb") as nothing:
        code = forked.run(
            str(prefork().socket),
            {"program": "indelible", "words": given, "environment": {**environment}, "directory": str(directory)},
            [stream.fileno() for stream in (nothing, out, err)],
            seconds=seconds,
        )
        said = []
        for stream in (out, err):
            stream.seek(0)
            said.append(stream.read().decode())
    return subprocess.CompletedProcess(["indelible", *given], code, *said)


def provide(directory: Path) -> Path:
    """Lay both into a directory, for a shell whose PATH begins with it; that directory."""
    for program in ("indelible", "aws"):
        path = directory / program
        path.write_text(f'#!/bin/sh\nexec {sys.executable} -IS {forked.__file__} {prefork().socket} {program} "$@"\n')
        path.chmod(0o755)
    return directory
