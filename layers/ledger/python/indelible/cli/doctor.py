# SPDX-License-Identifier: Apache-2.0
"""`indelible doctor`: what is wrong with a deployed ledger, and what to do."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from indelible.cli import COULD_NOT_CHECK
from indelible.cli.common import deployed, ledger_option
from indelible.cli.plain import plain, print_table
from indelible.services.doctor import Finding, Health, examine

_COLOURS = {Health.OK: "green", Health.WARN: "yellow", Health.FAIL: "red", Health.UNKNOWN: "magenta"}


@click.command()
@ledger_option
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON on stdout.")
def doctor(ledger: str, as_json: bool) -> None:
    """Say what is wrong with the deployed ledger, and what to do. Changes nothing.

    Looks at bucket, policies, keys, schedules, alarms, secret and clock, and whether every organisation is recorded and
    anchored as it should be. Exit status 0: nothing is wrong. 1: something is. 2: something could not be checked.
    """
    try:
        with deployed() as operator, Console(stderr=True).status("examining …") as status:
            findings = examine(operator.checks(ledger), lambda name: status.update(plain(f"examining … {name}")))
    except click.ClickException as error:
        error.show()
        raise SystemExit(COULD_NOT_CHECK) from None
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
        health = plain(finding.health, style=_COLOURS[finding.health])
        table.add_row(plain(finding.check), health, plain(finding.found), plain(finding.advice))
    print_table(table)
