# SPDX-License-Identifier: Apache-2.0
"""An internal error, and Ctrl-C in a command that checks nothing: neither is a verdict."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from indelible.cli import org, show
from indelible.cli.main import cli
from tests.fakes.audits import copied, exported
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


def test_a_fault_of_the_program_is_no_verdict(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line names the error and its place; a traceback is printed on request. The message may quote a record."""

    def faulty(*_: object) -> None:
        raise ZeroDivisionError(f"a fault\n\x1b[2J{'x' * 1000}")

    monkeypatch.delenv("INDELIBLE_DEBUG", raising=False)
    monkeypatch.setattr(show, "one", faulty)
    answer = run("show", place / "copy", "1")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert re.fullmatch(
        r"Internal error of indelible: ZeroDivisionError: a fault \\x1b\[2Jx{200,400} at cli/show\.py:[0-9]+\. "
        r"This says nothing about the evidence\. Set INDELIBLE_DEBUG=1 for a traceback\.\n",
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
