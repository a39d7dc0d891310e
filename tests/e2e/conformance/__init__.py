# SPDX-License-Identifier: Apache-2.0
"""The official conformance suite of MCP (npm, pinned in package.json) and what it is expected to find missing.

The suite runs every scenario that a revision of the protocol requires, most of them against diagnostic tools of its
own reference server; expected-failures-*.yaml says for each that fails why it does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SUITE = ROOT / "node_modules" / ".bin" / "conformance"
REVISIONS = ("2026-07-28", "2025-11-25")

_SECONDS = 180


@dataclass(frozen=True)
class Outcome:
    """What the suite said: `code` is 0 when nothing failed but what is listed, and everything listed failed."""

    code: int
    output: str

    @property
    def passed(self) -> set[str]:
        """Scenarios without a failure."""
        return {line.split()[1].rstrip(":") for line in self._summary() if line.startswith("✓ ")}

    @property
    def failed(self) -> set[str]:
        """Scenarios with one, expected or not."""
        return {line.split()[1].rstrip(":") for line in self._summary() if line.startswith("✗ ")}

    def _summary(self) -> list[str]:
        return self.output.partition("=== SUMMARY ===")[2].partition("\nTotal:")[0].splitlines()


def expected_failures(revision: str) -> Path:
    """The list for a revision."""
    return HERE / f"expected-failures-{revision}.yaml"


def run(url: str, revision: str) -> Outcome:
    """Run everything that the revision requires of a server."""
    command = [str(SUITE), "server", "--url", url, "--requirements", revision]
    done = subprocess.run(
        [*command, "--expected-failures", str(expected_failures(revision))],
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return Outcome(done.returncode, done.stdout + done.stderr)
