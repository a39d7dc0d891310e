# SPDX-License-Identifier: Apache-2.0
"""Compiling the layer before it is delivered: nothing can be written to /opt in a function, so whatever comes without
bytecode is compiled again at each cold start.

Bytecode is for one minor version of Python, and only an interpreter of that version makes it. A function whose Python
is another one after all ignores it: it starts slower and does the same.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


class BytecodeError(RuntimeError):
    """A module of the layer does not compile; which one is above the message."""


def find_python(version: str) -> str | None:
    """Path of a CPython of this minor version (`3.14`) on this machine, as uv finds it. Downloads nothing."""
    command = [sys.executable, "-m", "uv", "python", "find", "--no-python-downloads", "--no-project"]
    found = subprocess.run([*command, f"cpython@{version}"], capture_output=True, text=True, check=False)  # noqa: S603
    return found.stdout.strip() or None if found.returncode == 0 else None


def compile_ahead(site: Path, *, python: str, runs_at: str) -> None:
    """Write the bytecode of every module below `site`, which is at `runs_at` in a function. Raises BytecodeError.

    Unchecked (PEP 552): an asset carries no times of files that could be compared, and nothing changes behind it.
    """
    command = [python, "-I", "-W", "ignore", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    # Names the files by their paths in a function: the same bytecode wherever it is made.
    command += ["-s", str(site), "-p", runs_at, str(site)]
    # stdout belongs to jsii's protocol with Node while the CDK calls us.
    done = subprocess.run(command, stdout=sys.stderr, check=False)  # noqa: S603 - as find_python found it
    if done.returncode != 0:
        raise BytecodeError(f"{python} could not compile the layer (exit {done.returncode})")
