# SPDX-License-Identifier: Apache-2.0
"""`indelible hold`: legal holds, with the operator's own AWS credentials."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from indelible.cli import COULD_NOT_CHECK
from indelible.cli.common import deployed, ledger_option
from indelible.cli.plain import Output, rows
from indelible.cli.ranges import range_options, within
from indelible.cli.sources import json_option
from indelible.domain import instants
from indelible.domain.record import ADMIN_ORG, ORG_ID

if TYPE_CHECKING:
    from indelible.services.hold_register import Act, Hold
    from indelible.services.holds import HoldReport, Holds
    from indelible.services.ranges import Range

_PLACE = re.compile(rf"s3://([^/]+)/({ORG_ID}|{ADMIN_ORG})/?", re.ASCII)


def _address(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, str]:
    del ctx, param
    found = _PLACE.fullmatch(value)
    if found is None:
        raise click.BadParameter(f"{value!r}: say s3://BUCKET/ORGANISATION")
    return found[1], found[2]


_source = click.argument("source", metavar="SOURCE", callback=_address)
_reason = click.option("--reason", required=True, metavar="TEXT", help="Why; it is sealed in the record of the act.")


@click.group()
def hold() -> None:
    """Keep records, and what proves them, for as long as a matter lasts, whatever their retention.

    Uses the AWS credentials, region and endpoint of the usual environment variables. SOURCE is s3://BUCKET/ORGANISATION.
    Each act is recorded in the chain of `_admin` before it is done.
    """


@hold.command()
@_source
@range_options
@_reason
@ledger_option
def place(
    source: tuple[str, str],
    start: int | None,
    end: int | None,
    from_: str | None,
    to: str | None,
    reason: str,
    ledger: str,
) -> None:
    """Put a legal hold on a range of a chain: every version of every object in it, and the files that prove it.

    Prints what was done as JSON. Repeat it, with the same range and reason, after an interruption; or later, when the
    range has no end, for what was recorded since. Exit status: 0 done, 2 not, or not all of it.
    """
    asked = within(start, end, from_, to)
    with _holds(ledger, source) as (holds, org_id, looked_at):
        done = holds.place(org_id, asked, reason, progress=looked_at)
    click.echo(json.dumps(_done(done)))
    if done.covered_by is None:
        click.echo("No checkpoint covers the end of the range yet: repeat this after the next round.", err=True)


@hold.command()
@_source
@click.argument("hold_id")
@_reason
@ledger_option
def release(source: tuple[str, str], hold_id: str, reason: str, ledger: str) -> None:
    """Release the hold HOLD_ID. What another hold covers stays held; retention is not touched.

    Prints what was done as JSON. Repeat it after an interruption. Exit status: 0 done, 2 not, or not all of it.
    """
    with _holds(ledger, source) as (holds, org_id, looked_at):
        done = holds.release(org_id, hold_id, reason, progress=looked_at)
    click.echo(json.dumps(_done(done)))


@hold.command("list")
@_source
@click.option("--all", "released_too", is_flag=True, help="Those that were released, too.")
@json_option
@ledger_option
def list_(source: tuple[str, str], released_too: bool, as_json: bool, ledger: str) -> None:
    """List the holds in force of an organisation, as the chain of `_admin` has them."""
    with _holds(ledger, source) as (holds, org_id, _):
        found = [one for one in holds.history(org_id) if released_too or one.released is None]
    if as_json:
        click.echo(json.dumps({"holds": [_described(one) for one in found]}))
    elif found:
        _show(found)
    else:
        click.echo(f"{org_id}: no hold is in force", err=True)


@contextmanager
def _holds(ledger: str, source: tuple[str, str]) -> Iterator[tuple[Holds, str, Callable[[int], None]]]:
    """The ledger's holds, the organisation, and whom to tell how many versions were looked at."""
    bucket, org_id = source
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} versions"), TimeElapsedColumn())
    try:
        with deployed() as operator, Progress(*columns, console=Console(stderr=True), transient=True) as shown:
            task = shown.add_task("", total=None)
            yield operator.holds(ledger, bucket), org_id, lambda count: shown.advance(task, count)
    except click.ClickException as error:
        error.show()
        raise SystemExit(COULD_NOT_CHECK) from None


def _done(done: HoldReport) -> dict[str, Any]:
    return _described(done.hold) | {
        "versions": done.versions,
        "changed": done.changed,
        "kept_for_other_holds": done.kept,
        "first_sequence": done.first,
        "last_sequence": done.last,
        "covered_by": done.covered_by,
    }


def _described(one: Hold) -> dict[str, Any]:
    return {
        "hold_id": one.hold_id,
        "org_id": one.org_id,
        **_ends(one.asked),
        "placed": _act(one.placed),
        "released": None if one.released is None else _act(one.released),
    }


def _ends(asked: Range) -> dict[str, Any]:
    from_, to = (None if ms is None else instants.to_text(ms) for ms in (asked.from_ms, asked.to_ms))
    return {"start_seq": asked.start_seq, "end_seq": asked.end_seq, "from": from_, "to": to}


def _act(act: Act) -> dict[str, str]:
    return {"at": act.at, "by": act.actor, "reason": act.reason}


def _show(found: list[Hold]) -> None:
    out = Output()
    for one in found:
        ends = [f"{name} {value}" for name, value in _ends(one.asked).items() if value is not None]
        said = [("hold", one.hold_id), ("range", ", ".join(ends) or "all"), *_said("placed", one.placed)]
        rows(out, [*said, *(_said("released", one.released) if one.released else ())])
        out.print()


def _said(what: str, act: Act) -> list[tuple[str, object]]:
    return [(what, f"{act.at} by {act.actor}"), ("reason", act.reason)]
