# SPDX-License-Identifier: Apache-2.0
"""`indelible doctor`: exit status 0 healthy, 1 wrong, 2 could not check."""

from __future__ import annotations

import json

import click
import pytest
from botocore.exceptions import NoCredentialsError
from click.testing import CliRunner, Result

from indelible.cli.main import cli
from indelible.entry import operator
from indelible.errors import NotFound
from indelible.services.doctor import Finding, Health

WELL = Finding("clock", Health.OK, "this machine and AWS agree")
WRONG = Finding("schedules", Health.FAIL, "news is gone", "Deploy it.")
ODD = Finding("last round", Health.WARN, "failed", "Read its log.")
MUTE = Finding("alarms", Health.UNKNOWN, "denied", "Ask with more permissions.")


def run(monkeypatch: pytest.MonkeyPatch, *findings: Finding, words: tuple[str, ...] = ()) -> Result:
    monkeypatch.setattr(operator, "checks", lambda _ledger: [("all", lambda: findings)])
    return CliRunner().invoke(cli, ["doctor", *words])


@pytest.mark.parametrize(
    ("findings", "status"),
    [((WELL,), 0), ((WELL, WRONG), 1), ((WELL, ODD), 1), ((WELL, MUTE), 2), ((WRONG, MUTE), 1)],
)
def test_the_exit_status(monkeypatch: pytest.MonkeyPatch, findings: tuple[Finding, ...], status: int) -> None:
    done = run(monkeypatch, *findings)
    assert done.exit_code == status
    assert all(finding.check in done.stdout for finding in findings)


def test_json_has_the_findings_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = json.loads(run(monkeypatch, WELL, WRONG, words=("--json", "--ledger", "trial")).stdout)
    assert answer == {
        "ledger": "trial",
        "findings": [
            {"check": "clock", "health": "ok", "found": WELL.found, "advice": ""},
            {"check": "schedules", "health": "fail", "found": "news is gone", "advice": "Deploy it."},
        ],
    }


@pytest.mark.parametrize("width", [40, 80])
def test_no_advice_is_cut_off(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """On a terminal it wraps; in a pipe a finding is one line, however long."""
    found = Finding("policy", Health.FAIL, f"added: {'a' * 90}", f"Look at {'b' * 90}, then go on.")
    done = run(monkeypatch, found)
    assert any(found.found in line and found.advice in line for line in done.stdout.splitlines())

    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    done = run(monkeypatch, found)
    assert (done.stdout.count("a"), done.stdout.count("b")) >= (90, 90)
    assert "…" not in done.stdout
    assert all(len(line) <= width for line in click.unstyle(done.stdout).splitlines())


@pytest.mark.parametrize("trouble", [NotFound("no stack trial-ledger"), NoCredentialsError()])
def test_a_ledger_that_cannot_be_reached_is_two(monkeypatch: pytest.MonkeyPatch, trouble: Exception) -> None:
    def find(_ledger: str) -> None:
        raise trouble

    monkeypatch.setattr(operator, "checks", find)
    done = CliRunner().invoke(cli, ["doctor"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
