# SPDX-License-Identifier: Apache-2.0
"""`indelible doctor`: checks of a deployed ledger, with advice for each finding."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from indelible.cli import COULD_NOT_CHECK
from indelible.cli.deployment import CouldNotCheck, deployed
from indelible.cli.options import json_option, ledger_option
from indelible.cli.terminal import print_table, safe_line
from indelible.services.doctor import Finding, Health, examine

_COLOURS = {Health.OK: "green", Health.WARN: "yellow", Health.FAIL: "red", Health.UNKNOWN: "magenta"}


@click.command()
@ledger_option
@json_option
def doctor(ledger: str, as_json: bool) -> None:
    """Report what is wrong with the deployed ledger, and what to do. Changes nothing.

    Checks the bucket, policies, keys, schedules, alarms, the secret and the clock, and each organisation's recording
    and anchoring.

    Exit status: 0 nothing is wrong, 1 something is wrong, 2 something could not be checked.
    """
    progress = Console(stderr=True).status("checking …")
    with deployed(CouldNotCheck) as operator, progress as status:
        findings = examine(operator.checks(ledger), lambda name: status.update(safe_line(f"checking … {name}")))
    if as_json:
        click.echo(json.dumps({"ledger": ledger, "findings": [asdict(finding) for finding in findings]}))
    else:
        _show(findings)
    raise SystemExit(_status(findings))


def _status(findings: list[Finding]) -> int:
    healths = {finding.health for finding in findings}
    if healths & {Health.FAIL, Health.WARN}:
        return 1
    return COULD_NOT_CHECK if Health.UNKNOWN in healths else 0


def _show(findings: list[Finding]) -> None:
    table = Table("check", "", "found", "what to do")
    for finding in findings:
        health = safe_line(finding.health, style=_COLOURS[finding.health])
        table.add_row(safe_line(finding.check), health, safe_line(finding.found), safe_line(finding.advice))
    print_table(table)
