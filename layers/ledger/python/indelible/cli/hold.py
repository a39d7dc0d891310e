# SPDX-License-Identifier: Apache-2.0
"""`indelible hold`: places, releases and lists legal holds, with the operator's own AWS credentials."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from indelible.cli.deployment import CouldNotCheck, deployed
from indelible.cli.options import json_option, ledger_option, parse_range, range_options
from indelible.cli.terminal import Output, print_rows
from indelible.domain import instants
from indelible.domain.record import ADMIN_ORG, ORG_ID

if TYPE_CHECKING:
    from indelible.services.hold_register import Act, Hold
    from indelible.services.holds import HoldReport, Holds
    from indelible.services.ranges import Range

_SOURCE = re.compile(rf"s3://([^/]+)/({ORG_ID}|{ADMIN_ORG})/?", re.ASCII)


def _parse_source(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, str]:
    del ctx, param
    match = _SOURCE.fullmatch(value)
    if match is None:
        raise click.BadParameter(f"{value!r} is not of the form s3://BUCKET/ORGANISATION")
    return match[1], match[2]


_source = click.argument("source", metavar="SOURCE", callback=_parse_source)
_reason = click.option("--reason", required=True, metavar="TEXT", help="The reason, which is recorded with the hold.")


@click.group()
def hold() -> None:
    """Keep records and their proofs beyond their retention, until the hold is released.

    Uses the AWS credentials, region and endpoint of the usual environment variables. SOURCE is s3://BUCKET/ORGANISATION.
    Placing and releasing are recorded in the chain of `_admin` before they are done.
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
    """Place a legal hold on a range of a chain.

    The hold covers every version of every object in the range, and the files that prove the range. Prints the result as
    JSON. Run the command again with the same range and reason after an interruption; or, if the range has no end, to
    hold what was recorded since.

    Exit status: 0 done, 2 not done or not completed.
    """
    asked = parse_range(start, end, from_, to)
    with _holds(ledger, source) as (holds, org_id, update):
        result = holds.place(org_id, asked, reason, progress=update)
    click.echo(json.dumps(_result_json(result)))
    if result.covered_by is None:
        click.echo("No checkpoint covers the end of the range yet; run this again after the next anchoring.", err=True)


@hold.command()
@_source
@click.argument("hold_id")
@_reason
@ledger_option
def release(source: tuple[str, str], hold_id: str, reason: str, ledger: str) -> None:
    """Release the hold HOLD_ID.

    Objects that another hold covers stay held. Retention does not change. Prints the result as JSON. Run the command
    again after an interruption.

    Exit status: 0 done, 2 not done or not completed.
    """
    with _holds(ledger, source) as (holds, org_id, update):
        result = holds.release(org_id, hold_id, reason, progress=update)
    click.echo(json.dumps(_result_json(result)))


@hold.command("list")
@_source
@click.option("--all", "include_released", is_flag=True, help="Include released holds.")
@json_option
@ledger_option
def list_(source: tuple[str, str], include_released: bool, as_json: bool, ledger: str) -> None:
    """List an organisation's holds in force.

    They are read from the chain of `_admin`.
    """
    with _holds(ledger, source) as (holds, org_id, _):
        listed = [one for one in holds.history(org_id) if include_released or one.released is None]
    if as_json:
        click.echo(json.dumps({"holds": [_hold_json(one) for one in listed]}))
    elif listed:
        _show(listed)
    else:
        click.echo(f"{org_id} has no holds" if include_released else f"{org_id} has no holds in force", err=True)


@contextmanager
def _holds(ledger: str, source: tuple[str, str]) -> Iterator[tuple[Holds, str, Callable[[int], None]]]:
    """The ledger's holds, the organisation, and a callback for the number of versions checked since the last call."""
    bucket, org_id = source
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} versions"), TimeElapsedColumn())
    console = Console(stderr=True)
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with deployed(CouldNotCheck) as operator, progress:
        task = progress.add_task("", total=None)
        yield operator.holds(ledger, bucket), org_id, lambda count: progress.advance(task, count)


def _result_json(done: HoldReport) -> dict[str, Any]:
    return _hold_json(done.hold) | {
        "versions": done.versions,
        "changed": done.changed,
        "kept_for_other_holds": done.kept,
        "first_sequence": done.first,
        "last_sequence": done.last,
        "covered_by": done.covered_by,
    }


def _hold_json(one: Hold) -> dict[str, Any]:
    return {
        "hold_id": one.hold_id,
        "org_id": one.org_id,
        **_range_json(one.asked),
        "placed": _act_json(one.placed),
        "released": None if one.released is None else _act_json(one.released),
    }


def _range_json(asked: Range) -> dict[str, Any]:
    from_, to = (None if ms is None else instants.to_text(ms) for ms in (asked.from_ms, asked.to_ms))
    return {"start_seq": asked.start_seq, "end_seq": asked.end_seq, "from": from_, "to": to}


def _act_json(act: Act) -> dict[str, str]:
    return {"at": act.at, "by": act.actor, "reason": act.reason}


def _show(holds: list[Hold]) -> None:
    out = Output()
    for one in holds:
        ends = [f"{name} {value}" for name, value in _range_json(one.asked).items() if value is not None]
        rows = [("hold", one.hold_id), ("range", ", ".join(ends) or "all"), *_act_rows("placed", one.placed)]
        print_rows(out, [*rows, *(_act_rows("released", one.released) if one.released else ())])
        out.print()


def _act_rows(what: str, act: Act) -> list[tuple[str, object]]:
    return [(what, f"{act.at} by {act.actor}"), ("reason", act.reason)]
