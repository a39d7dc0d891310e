# SPDX-License-Identifier: Apache-2.0
"""Somebody at a shell who types what a document says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from local.env import Outputs
from tests.documents import ROOT, Block, blocks
from tests.e2e.helpers.commands import provide

STAND_INS = Path(__file__).parent.parent / "stand_ins"
_MARK = "\x1e"


class Stranger:
    """Somebody at a shell, with a checkout's view of one organisation of the ledger."""

    def __init__(self, directory: Path, outputs: Outputs, json_tool: str, *, bare: bool = False) -> None:
        """`bare`: as on a machine that has neither jq nor curl nor openssl."""
        self.directory = directory
        self.outputs = outputs
        (directory / ".local").mkdir()
        (directory / ".local" / "outputs.json").write_text(json.dumps(outputs.as_dict()))
        (directory / "tests").symlink_to(ROOT / "tests")
        self.bin = directory / "bin"
        self.bin.mkdir()
        here = Path(sys.executable).parent
        provide(self.bin)
        self._provide("jq", here / "jaq" if json_tool == "jaq" else Path(found(json_tool)))
        for tool in ("curl", "openssl"):
            if bare or not shutil.which(tool):
                self._stand_in(tool)
        path = os.pathsep.join([str(self.bin), str(here), os.environ["PATH"]])
        self.environment = {**outputs.environment(), "PATH": path, "HOME": str(directory)}

    def _provide(self, name: str, tool: Path) -> None:
        assert tool.exists(), f"{tool} is missing: make install"
        (self.bin / name).symlink_to(tool)

    def _stand_in(self, name: str) -> None:
        stand_in = self.bin / name
        stand_in.write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_INS / name}.py "$@"\n')
        stand_in.chmod(0o755)

    def types(self, document: Path, *, careful: bool = True, most: int | None = None) -> list[tuple[Block, str]]:
        """Run the document's (first) blocks in one shell; what each printed. `careful` ends at the first failure."""
        run = [block for block in blocks(document) if block.marker == "run"][:most]
        assert run
        done = self.shell("".join(f"{_script(block)}\nprintf '{_MARK}'\n" for block in run), careful=careful)
        printed = done.stdout.split(_MARK)
        assert not careful or done.returncode == 0, (
            f"{done.stderr}\nafter:\n{printed[-1]}\n{run[len(printed) - 1].text}"
        )
        assert len(printed) == len(run) + 1, done.stderr
        return list(zip(run, printed, strict=False))

    def shell(self, script: str, *, careful: bool = True) -> subprocess.CompletedProcess[str]:
        """One bash, in this place."""
        return subprocess.run(
            ["bash", *(["-euo", "pipefail"] if careful else []), "-c", script],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=240,
        )


def found(tool: str) -> str:
    found = shutil.which(tool)
    assert found, f"the documentation's commands need {tool}: install it (apt-get install {tool})"
    return found


def _script(block: Block) -> str:
    if block.language == "python":
        return f"python - <<'END_OF_PYTHON'\n{block.text}END_OF_PYTHON"
    assert block.language == "sh", block.language
    return block.text
