# SPDX-License-Identifier: Apache-2.0
"""`pip install .` on an auditor's machine: no AWS package comes along, and evidence verifies with no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from indelible.domain import note
from tests.documents import ROOT
from tests.fakes.audits import copied, exported
from tests.fakes.log import LEDGER_NAME, FakeSigner
from tests.fakes.world import World

KEY = note.verifier_key(LEDGER_NAME, FakeSigner().public_key())
UV = Path(sys.executable).parent / "uv"
AWS = ("aws", "boto", "s3transfer", "jmespath", "token-bucket", "moto", "mypy-boto3")
#: Where the operating system cannot cut the network off, Python does; it does in any case.
OFFLINE = """
import socket, sys
def refuse(*_, **__): raise AssertionError("the network was touched")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from indelible.cli.main import cli
cli(prog_name="indelible")
"""


@dataclass(frozen=True)
class Machine:
    """An environment with nothing but what `pip install .` brings, and evidence beside it."""

    environment: Path
    directory: Path

    @property
    def packages(self) -> set[str]:
        done = _uv("pip", "list", "--python", self._python, "--format", "freeze")
        return {canonicalize_name(line.partition("==")[0]) for line in done.splitlines()}

    @property
    def _python(self) -> str:
        return str(self.environment / "bin" / "python")

    def indelible(self, *words: str) -> subprocess.CompletedProcess[str]:
        """With the network off."""
        return subprocess.run(
            [*_without_network(), self._python, "-I", "-c", OFFLINE, *words],
            cwd=self.directory,
            env={"PATH": os.defpath, "HOME": str(self.directory)},
            capture_output=True,
            text=True,
            timeout=60,
        )


def _uv(*words: str) -> str:
    done = subprocess.run([str(UV), "--quiet", *words], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _without_network() -> Sequence[str]:
    tool = shutil.which("unshare")
    command = [tool, "--map-root-user", "--net"] if tool else []
    works = tool and subprocess.run([*command, "true"], capture_output=True, timeout=30).returncode == 0
    return command if works else []


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    directory = tmp_path_factory.mktemp("auditor")
    environment = directory / "environment"
    _uv("venv", "--python", sys.executable, str(environment))
    _uv("pip", "install", "--python", str(environment / "bin" / "python"), str(ROOT))
    world = World()
    world.record(1, 2, 3, 4)
    world.anchored()
    (directory / "evidence.zip").write_bytes(exported(world.bucket))
    copied(world.bucket, directory / "copy")
    (directory / "ledger.vkey").write_text(KEY)
    return Machine(environment, directory)


def test_no_aws_package_comes_along_and_everything_is_pinned(machine: Machine) -> None:
    found = machine.packages
    assert not [name for name in found if name.startswith(AWS)]
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    locked = {canonicalize_name(Requirement(line.split(" \\")[0]).name) for line in lines if line[:1].isalnum()}
    assert found - {"indelible"} <= locked, "what comes along is known, and looked at"
    assert "indelible" in found


@pytest.mark.parametrize("source", ["evidence.zip", "copy"])
def test_evidence_is_verified_with_the_network_off(machine: Machine, source: str) -> None:
    done = machine.indelible("verify", source, "--key", "ledger.vkey")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"VALID {source}\n")
    assert "from 1 to 4" in done.stdout
    for words in (
        ("show", source, "3"),
        ("checkpoint", source, "--key", "ledger.vkey"),
        ("verify", source, "--strict"),
    ):
        assert machine.indelible(*words).returncode == 0


def test_a_copy_is_packed_with_the_network_off(machine: Machine) -> None:
    done = machine.indelible("export", "copy", "-o", "again.zip", "--key", "ledger.vkey")
    assert done.returncode == 0, done.stderr
    assert machine.indelible("verify", "again.zip", "--key", "ledger.vkey").returncode == 0


@pytest.mark.parametrize("words", [("verify", "s3://bucket/acme-corp"), ("doctor",), ("rebuild",)])
def test_what_needs_an_account_says_what_to_install(machine: Machine, words: tuple[str, ...]) -> None:
    done = machine.indelible(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("pip install '.[s3]' in a checkout of indelible\n")
    assert done.stderr.count("\n") == 1
