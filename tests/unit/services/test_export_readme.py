# SPDX-License-Identifier: Apache-2.0
"""The commands in a bundle's README.txt work as printed, and notice what is wrong."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fakes.world import World
from tests.unit.services.test_export import unpacked

HERE = Path(sys.executable).parent
TOOLS = ["jaq", *(["jq"] if shutil.which("jq") else [])]


def commands(text: str) -> str:
    """What stands indented by six behind "CHECK IT YOURSELF"."""
    checks = text[text.index("CHECK IT YOURSELF") :]
    return "\n".join(line[6:] for line in checks.splitlines() if line.startswith(" " * 6)) + "\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An unpacked bundle of records 3 to 9, and the ledger's key beside it."""
    world = World()
    world.record(*range(1, 11))
    world.anchored()
    for path, data in unpacked(world, 3, 9).files.items():
        file = tmp_path / "evidence" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    key = Ed25519PublicKey.from_public_bytes(world.signer.public_key())
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "evidence" / "ledger.pem").write_bytes(pem)
    return tmp_path / "evidence"


def run(directory: Path, tool: str) -> subprocess.CompletedProcess[str]:
    tools = directory.parent / "bin"
    tools.mkdir(exist_ok=True)
    found = shutil.which(tool, path=f"{HERE}:/usr/local/bin:/usr/bin:/bin")
    assert found
    (tools / "jq").unlink(missing_ok=True)
    (tools / "jq").symlink_to(found)
    script = commands((directory / "README.txt").read_text())
    return subprocess.run(
        ["bash", "-c", script],
        cwd=directory,
        env={"PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("tool", TOOLS)
def test_the_three_checks_as_printed(directory: Path, tool: str) -> None:
    done = run(directory, tool)
    assert done.stderr == ""
    hashed, promised, chained, signed = done.stdout.splitlines()
    assert hashed.split()[0] == promised
    assert chained == "every record names the one before"
    assert signed == "Signature Verified Successfully"


def test_they_notice(directory: Path) -> None:
    records = directory / "records.jsonl"
    records.write_bytes(records.read_bytes().replace(b'"number":5', b'"number":6'))
    note = directory / "log/checkpoints/000000000010"
    note.write_text(note.read_text().replace("\n10\n", "\n11\n"))
    done = run(directory, TOOLS[-1])
    for said in ("records.jsonl: FAILED", "log/checkpoints/000000000010: FAILED", "differ"):
        assert said in done.stdout + done.stderr
    assert "every record names" not in done.stdout
    assert "Signature Verified Successfully" not in done.stdout
