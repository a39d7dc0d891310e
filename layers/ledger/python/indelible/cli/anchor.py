# SPDX-License-Identifier: Apache-2.0
"""`indelible anchor`: what the schedule does, now, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from indelible.cli.org import deployed


@click.command()
@click.option("--org", metavar="NAME", help="Only this organisation; otherwise all.")
@click.option("--ledger", default="indelible", show_default=True, envvar="INDELIBLE_LEDGER", help="The ledger's name.")
@click.option("--json", "as_json", is_flag=True, help="Print the function's summary as JSON on stdout.")
def anchor(org: str | None, ledger: str, as_json: bool) -> None:
    """Put all new records under signed checkpoints now, and wait for it.

    Starts the deployed anchor function, as the schedule does, with your AWS credentials. Running it beside the
    schedule does no harm. Exit status 1 when an organisation's chain is broken or its run failed.
    """
    with deployed() as operator:
        summary = operator.anchor_function(ledger).run({"org_id": org} if org else {"run": "sweep"})
    if as_json:
        click.echo(json.dumps(summary))
    else:
        click.echo(_done(summary))
    for line in _troubles(summary):
        click.echo(line, err=True)
    if summary["broken"] or summary["failed"] or summary["ledger"]["failed"]:
        raise SystemExit(1)


def _done(summary: dict[str, Any]) -> str:
    records, looked_at = summary["records"], summary["organisations"]
    organisations = f"{looked_at:,} organisation{'' if looked_at == 1 else 's'}"
    if not records:
        return f"{organisations} looked at: nothing to anchor."
    late = f", {summary['sealed']:,} of them sealed from the outbox first" if summary["sealed"] else ""
    return f"{organisations} looked at: {records:,} record{'' if records == 1 else 's'} anchored{late}."


def _troubles(summary: dict[str, Any]) -> Iterator[str]:
    for org_id, failures in summary["broken"].items():
        for failure in failures:
            at = "" if failure["sequence"] is None else f" at record {failure['sequence']}"
            yield f"{org_id}: the chain is broken{at}: {failure['code']}, {failure['detail']}"
        yield f"{org_id}: nothing more is signed for it; verify it, keep the answer, see docs/operations.md."
    for org_id in summary["failed"]:
        yield f"{org_id}: the run failed; the anchor function's log says why. The next run tries again."
    if summary["ledger"]["failed"]:
        yield f"the ledger's own log did not go on: {summary['ledger']['failed']}. The next run tries again."
    if summary["not_reached"]:
        yield f"{summary['not_reached']:,} organisations were not reached in one run's time: run it again."
