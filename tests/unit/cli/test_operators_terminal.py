# SPDX-License-Identifier: Apache-2.0
"""Text from the table, AWS or a record is printed to an operator's terminal without markup or control characters."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from indelible.cli.main import cli
from indelible.domain.findings import Failure, FailureCode
from indelible.entry import operator
from indelible.services.doctor import Finding, Health
from indelible.services.rebuild import Rebuilt
from indelible.services.table_diff import Change
from local import __main__ as local
from tests.unit.cli.test_anchor import DONE

HOSTILE = "[/] [red]x[/red]\x1b[2J"
SHOWN = r"[/] [red]x[/red]\x1b[2J"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments], env={"COLUMNS": "200"})


def shown(result: Result) -> str:
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "\x1b" not in result.output
    return result.output


def test_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = Finding(f"policy {HOSTILE}", Health.FAIL, f"found {HOSTILE}", f"do {HOSTILE}")
    monkeypatch.setattr(operator, "checks", lambda _ledger: [(HOSTILE, lambda: [finding])])
    output = shown(run("doctor"))
    for said in ("policy", "found", "do"):
        assert f"{said} {SHOWN}" in output


def test_rebuild(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = Failure(FailureCode.MISSING, 3, f"found {HOSTILE}")
    report = Rebuilt(
        org_id="acme-corp",
        records=0,
        waiting=0,
        changes=(Change("head", f"has {HOSTILE}", f"wants {HOSTILE}", lambda: True),),
        failures=(failure,),
        failures_total=1,
        refused=(failure,),
        lost=(f"lost {HOSTILE}",),
        outran=(f"outran {HOSTILE}",),
    )
    monkeypatch.setattr(operator, "rebuilder", lambda _ledger: SimpleNamespace(run=lambda *_, **__: [report]))
    output = shown(run("rebuild"))
    for said in ("found", "has", "wants", "lost", "outran"):
        assert f"{said} {SHOWN}" in output


def test_anchor(monkeypatch: pytest.MonkeyPatch) -> None:
    broken: dict[str, Any] = {"acme-corp": {"code": "BROKEN_LINK", "sequence": 7, "detail": HOSTILE}}
    workflow = SimpleNamespace(start=lambda _: "arn", wait=lambda *_, **__: DONE | {"broken": broken})
    monkeypatch.setattr(operator, "anchor_workflow", lambda _ledger: workflow)
    assert SHOWN in shown(run("anchor"))


def test_an_error_of_the_local_ledger(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(**_: object) -> None:
        raise local.LocalError("no [/] [bold]port[/bold]")

    monkeypatch.setattr(local, "cli", SimpleNamespace(main=fail))
    monkeypatch.setattr(local, "console", local.Console(stderr=True, highlight=False))
    with pytest.raises(SystemExit):
        local.main()
    assert "error: no [/] [bold]port[/bold]" in capsys.readouterr().err
