# SPDX-License-Identifier: Apache-2.0
"""A signal, a closed pipe and a full disk end a command with a status that is not a verdict."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from indelible.cli import main
from tests.fakes.audits import copied, exported
from tests.fakes.world import World

AT_WORK = """
import time
from indelible.audit.fast_walk import FastWalk
from indelible.cli.main import cli

def longer(_):
    time.sleep(2)  # until a worker has begun, too
    print("at work", flush=True)
    time.sleep(60)

FastWalk._notice = longer
cli()
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("desk")
    world = World()
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


@pytest.mark.parametrize("words", ["verify evidence.zip", "show copy 2"])
def test_an_answer_that_cannot_be_written_is_no_verdict(place: Path, words: str) -> None:
    command = f"{sys.executable} -m indelible.cli.main {words}"
    for into, why in (("> /dev/full", "No space left on device"), (">&-", "it is closed")):
        done = subprocess.run(f"{command} {into}", shell=True, cwd=place, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (2, f"Could not write to standard output: {why}\n")


def test_what_an_encoding_has_not_is_written_as_an_escape(place: Path) -> None:
    """Here the bullets of the list of unchecked items."""
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "indelible.cli.main", "verify", "evidence.zip"]
    done = subprocess.run(command, cwd=place, capture_output=True, env=environment, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u2022 " in done.stdout


def test_an_interruption_while_the_command_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "import_module", interrupted)
    assert CliRunner().invoke(main.cli, ["verify", "x"]).exit_code == 128 + signal.SIGINT


@pytest.mark.parametrize(
    ("jobs", "sent", "status", "said"),
    [
        ("1", signal.SIGINT, 2, "Could not check: interrupted\n"),
        ("2", signal.SIGINT, 2, "Could not check: interrupted\n"),
        ("2", signal.SIGTERM, 128 + signal.SIGTERM, ""),
    ],
)
def test_an_end_from_outside_is_no_verdict(place: Path, jobs: str, sent: int, status: int, said: str) -> None:
    """On a terminal Ctrl-C reaches every process of the group."""
    process = subprocess.Popen(
        [sys.executable, "-c", AT_WORK, "verify", "evidence.zip", "--jobs", jobs],
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        if sent == signal.SIGINT:
            os.killpg(process.pid, sent)
        else:
            process.send_signal(sent)
        found = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, *found) == (status, "", said)
