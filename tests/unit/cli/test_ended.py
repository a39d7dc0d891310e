# SPDX-License-Identifier: Apache-2.0
"""What ends a command before its time: a reader that left, Ctrl-C, a fault of the program. None is a verdict."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from indelible.cli import org, show
from indelible.cli.main import cli
from indelible.domain import bundle
from tests.fakes.audits import copied, exported
from tests.fakes.repacked import files_of, listing, packed
from tests.fakes.world import World


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy and a bundle."""
    directory, world = tmp_path_factory.mktemp("desk"), World()
    world.record(1, 2, 3, 4)
    world.anchored()
    (directory / "evidence.zip").write_bytes(exported(world.bucket))
    copied(world.bucket, directory / "copy")
    return directory


def test_a_reader_that_leaves_is_no_verdict(place: Path) -> None:
    for words in (["verify", "evidence.zip"], ["verify", "evidence.zip", "--json"], ["show", "copy", "2"]):
        read, write = os.pipe()
        os.close(read)
        command = [sys.executable, "-m", "indelible.cli.main", *words]
        done = subprocess.run(command, cwd=place, stdout=write, stderr=subprocess.PIPE, timeout=60)
        os.close(write)
        assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_is_no_verdict(tmp_path: Path, jobs: str) -> None:
    """In a terminal it reaches every process."""
    world = World()
    world.record(1)
    files = files_of(exported(world.bucket))
    # Millions of lines to complain of keep the command at work, however fast the machine is.
    many = {**files, bundle.RECORDS: files[bundle.RECORDS] + b"\n" * 4_000_000}
    many[bundle.MANIFEST] = files[bundle.MANIFEST].replace(b'"records":1}', b'"records":4000001}')
    assert many[bundle.MANIFEST] != files[bundle.MANIFEST]
    (tmp_path / "evidence.zip").write_bytes(packed(listing(many)))
    receipt = tmp_path / "receipt.json"
    os.mkfifo(receipt)
    command = [sys.executable, "-m", "indelible.cli.main", "verify", str(tmp_path / "evidence.zip"), "--jobs", jobs]
    process = subprocess.Popen(
        [*command, "--receipt", str(receipt)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        with receipt.open("wb") as file:  # opened for reading by then: it works
            file.write(files[bundle.RECEIPTS])
        time.sleep(2)
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, *said) == (2, "", "Could not check: interrupted\n")


def test_a_fault_of_the_program_is_no_verdict(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says which and where; who wants to know more asks for it. What others wrote may be in it."""

    def faulty(*_: object) -> None:
        raise ZeroDivisionError(f"a fault\n\x1b[2J{'x' * 1000}")

    monkeypatch.delenv("INDELIBLE_DEBUG", raising=False)
    monkeypatch.setattr(show, "one", faulty)
    answer = run("show", place / "copy", "1")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert re.fullmatch(
        r"A fault of indelible itself: ZeroDivisionError: a fault \\x1b\[2Jx{200,400} at cli/show\.py:[0-9]+\. "
        r"Nothing is said about the evidence\. INDELIBLE_DEBUG=1 shows how it came to that\.\n",
        answer.stderr,
    )
    monkeypatch.setenv("INDELIBLE_DEBUG", "1")
    more = run("show", place / "copy", "1")
    assert more.exit_code == 2
    assert more.stderr.startswith("Traceback (most recent call last):\n")
    assert more.stderr.endswith(answer.stderr)
    assert "\x1b" not in more.stderr


@pytest.mark.parametrize("trouble", [KeyboardInterrupt, click.Abort])
def test_an_interrupt_where_nothing_is_checked(monkeypatch: pytest.MonkeyPatch, trouble: type[BaseException]) -> None:
    def interrupted(*_: object) -> None:
        raise trouble

    monkeypatch.setattr(org, "_registry", interrupted)
    answer = run("org", "list")
    assert (answer.exit_code, answer.stdout, answer.stderr) == (130, "", "Interrupted.\n")
