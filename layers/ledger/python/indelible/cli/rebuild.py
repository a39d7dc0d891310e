# SPDX-License-Identifier: Apache-2.0
"""`indelible rebuild`: the table from the bucket. Says what differs; writes only when told to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from indelible.cli import COULD_NOT_CHECK
from indelible.cli.common import deployed, ledger_option
from indelible.cli.plain import plain, print_table, spelled_out
from indelible.domain.findings import Failure, FailureCode
from indelible.services.log import LEDGER

if TYPE_CHECKING:
    from indelible.services.rebuild import Accepted, Rebuilt

_MOST_SHOWN = 10
_CODES = "|".join(FailureCode)


class _Acceptance(click.ParamType[Any]):
    """CODE or CODE:SEQUENCE."""

    name = "CODE[:SEQ]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Accepted:  # noqa: ANN401 -- click's own
        from indelible.services.rebuild import Accepted

        found = re.fullmatch(rf"({_CODES})(?::([1-9][0-9]{{0,11}}))?", str(value))
        if found is None:
            self.fail(f"must be one of {', '.join(FailureCode)}, perhaps with a sequence: MISSING:142", param, ctx)
        return Accepted(FailureCode(found[1]), int(found[2]) if found[2] else None)


@click.command()
@click.option("--org", metavar="NAME", help="Only this organisation; otherwise all that the bucket knows.")
@click.option("--apply", is_flag=True, help="Write. Without it nothing is written.")
@click.option("--accept", multiple=True, type=_Acceptance(), help="Go on in spite of this failure. Repeatable.")
@ledger_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
def rebuild(org: str | None, apply: bool, accept: tuple[Accepted, ...], ledger: str, as_json: bool) -> None:
    """Rebuild the table from the bucket, after a loss, a restore or HEAD_REGRESSED.

    Reads every record and every signed root, says how the table differs, and with --apply makes it agree: head, days,
    index, log, registry. Safe while the ledger records. What a broken chain leaves is rebuilt only with --accept. Exit
    status 0: the table agrees with the bucket. 1: it does not. 2: it could not be said.
    """
    try:
        reports = _reports(ledger, org, apply=apply, accept=accept)
    except click.ClickException as error:
        error.show()
        raise SystemExit(COULD_NOT_CHECK) from None
    if as_json:
        click.echo(json.dumps({"applied": apply, "organisations": [_described(report) for report in reports]}))
    else:
        _show(reports)
    for line in _words(reports, apply):
        click.echo(spelled_out(line), err=True)
    if not all(report.settled for report in reports):
        raise SystemExit(1)


def _reports(ledger: str, org: str | None, *, apply: bool, accept: tuple[Accepted, ...]) -> list[Rebuilt]:
    console = Console(stderr=True, highlight=False)
    with deployed() as operator, console.status("reading the bucket …") as status:

        def done(report: Rebuilt) -> None:
            status.update(plain(f"reading the bucket … {report.org_id}: {report.records:,} records"))

        found: list[Rebuilt] = operator.rebuilder(ledger).run(org, apply=apply, accepted=accept, done=done)
    return found


def _show(reports: list[Rebuilt]) -> None:
    table = Table("organisation", "item", "in the table", "from the bucket")
    for report in reports:
        for change in report.changes:
            table.add_row(*map(plain, (report.org_id, change.item, change.found, change.wanted)))
    if table.rows:
        print_table(table)


def _words(reports: list[Rebuilt], apply: bool) -> Iterator[str]:
    for report in reports:
        refused = f"{report.org_id}: refused: " if report.refused else f"{report.org_id}: accepted: "
        for failure in (report.refused or report.failures)[:_MOST_SHOWN]:
            yield f"{refused}{_in_words(failure)}"
        if report.failures_total > _MOST_SHOWN:
            yield f"{report.org_id}: {report.failures_total:,} failures in all; `indelible rebuild --json` lists them."
        for lost in report.lost:
            yield f"{report.org_id}: {lost}"
        if report.outran:
            yield f"{report.org_id}: changed meanwhile, left alone: {', '.join(report.outran)}. Run it again."
    if any(report.changes for report in reports):
        from indelible.services.rebuild import NOT_IN_THE_BUCKET

        for lost in NOT_IN_THE_BUCKET:
            yield f"No rebuild brings back {lost}."
    yield _summary(reports, apply)


def _summary(reports: list[Rebuilt], apply: bool) -> str:
    refused = sum(bool(report.refused) for report in reports)
    differ = sum(bool(report.changes) and not report.refused for report in reports)
    count = sum(report.org_id != LEDGER for report in reports)
    looked_at = f"{count:,} organisation{'' if count == 1 else 's'} read" if count else "the ledger's own log read"
    came_of_it = [f"{differ:,} {'rebuilt' if apply else 'differ'}"] if differ else []
    came_of_it += [f"{refused:,} refused"] if refused else []
    said = f"{looked_at}: {', '.join(came_of_it) or 'the table agrees with the bucket'}."
    if differ and not apply:
        said += " Nothing is written; --apply writes."
    if refused:
        said += (
            " What is refused has a broken chain: look at the failures first (docs/operations.md, BrokenChain), then "
            "name those that you accept with --accept."
        )
    return said


def _in_words(failure: Failure) -> str:
    at = "" if failure.sequence is None else f" at record {failure.sequence:,}"
    through = f" to {failure.through:,}" if failure.through else ""
    return f"{failure.code}{at}{through}: {failure.detail}"


def _described(report: Rebuilt) -> dict[str, Any]:
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
