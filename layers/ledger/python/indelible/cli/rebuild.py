# SPDX-License-Identifier: Apache-2.0
"""`indelible rebuild`: compares the table with the bucket, and with --apply rebuilds it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from indelible.cli.deployment import CouldNotCheck, deployed
from indelible.cli.options import json_option, ledger_option
from indelible.cli.terminal import counted, print_table, safe_line, safe_text
from indelible.domain.findings import Failure, FailureCode
from indelible.services.log import LEDGER

if TYPE_CHECKING:
    from indelible.services.rebuild import Accepted, Rebuilt

_MAX_SHOWN = 10
_CODES = "|".join(FailureCode)


class _AcceptedType(click.ParamType[Any]):
    """CODE or CODE:SEQUENCE."""

    name = "CODE[:SEQ]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Accepted:  # noqa: ANN401 -- click's own
        from indelible.services.rebuild import Accepted

        found = re.fullmatch(rf"({_CODES})(?::([1-9][0-9]{{0,11}}))?", str(value))
        if found is None:
            self.fail(f"must be one of {', '.join(FailureCode)}, optionally with a sequence: MISSING:142", param, ctx)
        return Accepted(FailureCode(found[1]), int(found[2]) if found[2] else None)


@click.command()
@click.option("--org", metavar="NAME", help="Only this organisation.  [default: all in the bucket]")
@click.option("--apply", is_flag=True, help="Write to the table; by default nothing is written.")
@click.option("--accept", multiple=True, type=_AcceptedType(), help="Rebuild in spite of this failure; repeatable.")
@ledger_option
@json_option
def rebuild(org: str | None, apply: bool, accept: tuple[Accepted, ...], ledger: str, as_json: bool) -> None:
    """Rebuild the table from the bucket, after a loss, a restore or HEAD_REGRESSED.

    Reads every record and every signed root, reports how the table differs, and with --apply corrects it: head, days,
    index, log and registry. It is safe to run while the ledger records. An organisation whose chain is broken is
    rebuilt only with --accept.

    Exit status: 0 the table agrees with the bucket, 1 it does not, 2 could not check.
    """
    reports = _run(ledger, org, apply=apply, accept=accept)
    if as_json:
        click.echo(json.dumps({"applied": apply, "organisations": [_report_json(report) for report in reports]}))
    else:
        _show(reports)
    for line in _messages(reports, apply):
        click.echo(safe_text(line), err=True)
    if not all(report.settled for report in reports):
        raise SystemExit(1)


def _run(ledger: str, org: str | None, *, apply: bool, accept: tuple[Accepted, ...]) -> list[Rebuilt]:
    console = Console(stderr=True, highlight=False)
    with deployed(CouldNotCheck) as operator, console.status("reading the bucket …") as status:

        def done(report: Rebuilt) -> None:
            status.update(safe_line(f"reading the bucket … {report.org_id}: {report.records:,} records"))

        reports: list[Rebuilt] = operator.rebuilder(ledger).run(org, apply=apply, accepted=accept, done=done)
    return reports


def _show(reports: list[Rebuilt]) -> None:
    table = Table("organisation", "item", "in the table", "from the bucket")
    for report in reports:
        for change in report.changes:
            table.add_row(*map(safe_line, (report.org_id, change.item, change.found, change.wanted)))
    if table.rows:
        print_table(table)


def _messages(reports: list[Rebuilt], apply: bool) -> Iterator[str]:
    for report in reports:
        refused = f"{report.org_id}: refused: " if report.refused else f"{report.org_id}: accepted: "
        for failure in (report.refused or report.failures)[:_MAX_SHOWN]:
            yield f"{refused}{_failure_text(failure)}"
        if report.failures_total > _MAX_SHOWN:
            yield f"{report.org_id}: {report.failures_total:,} failures; `indelible rebuild --json` lists them."
        for lost in report.lost:
            yield f"{report.org_id}: {lost}"
        if report.outran:
            yield f"{report.org_id}: changed in the meantime and not written: {', '.join(report.outran)}. Run it again."
    if any(report.changes for report in reports):
        from indelible.services.rebuild import NOT_IN_THE_BUCKET

        for lost in NOT_IN_THE_BUCKET:
            yield f"A rebuild cannot restore {lost}."
    yield _summary(reports, apply)


def _summary(reports: list[Rebuilt], apply: bool) -> str:
    refused = sum(bool(report.refused) for report in reports)
    differ = sum(bool(report.changes) and not report.refused for report in reports)
    count = sum(report.org_id != LEDGER for report in reports)
    read = f"{counted(count, 'organisation')} read" if count else "the ledger's own log read"
    results = [f"{differ:,} {'rebuilt' if apply else 'differ'}"] if differ else []
    results += [f"{refused:,} refused"] if refused else []
    summary = f"{read}: {', '.join(results) or 'the table agrees with the bucket'}."
    if differ and not apply:
        summary += " Nothing was written; --apply writes."
    if refused:
        summary += (
            " A refused organisation has a broken chain: investigate the failures first (docs/operations.md, "
            "BrokenChain), then name those that you accept with --accept."
        )
    return summary


def _failure_text(failure: Failure) -> str:
    at = "" if failure.sequence is None else f" at record {failure.sequence:,}"
    through = f" to {failure.through:,}" if failure.through else ""
    return f"{failure.code}{at}{through}: {failure.detail}"


def _report_json(report: Rebuilt) -> dict[str, Any]:
    return {
        "org_id": report.org_id,
        "settled": report.settled,
        "applied": report.applied,
        "records": report.records,
        "waiting": report.waiting,
        "changes": [{"item": c.item, "found": c.found, "wanted": c.wanted} for c in report.changes],
        "failures": [asdict(failure) for failure in report.failures],
        "failures_total": report.failures_total,
        "refused": [asdict(failure) for failure in report.refused],
        "lost": list(report.lost),
        "outran": list(report.outran),
    }
