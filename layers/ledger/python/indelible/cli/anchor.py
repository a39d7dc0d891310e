# SPDX-License-Identifier: Apache-2.0
"""`indelible anchor`: what the schedule does, now, and what came of it."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from indelible.cli.common import deployed, ledger_option
from indelible.cli.plain import spelled_out

if TYPE_CHECKING:
    from indelible.ports import Progress


@click.command()
@click.option("--org", metavar="NAME", help="Only this organisation; otherwise all.")
@ledger_option
@click.option("--json", "as_json", is_flag=True, help="Print the round's summary as JSON on stdout.")
def anchor(org: str | None, ledger: str, as_json: bool) -> None:
    """Put all new records under signed checkpoints now, and wait for it.

    Starts a round of the deployed workflow, as the schedule does, with your AWS credentials. Running it beside the
    schedule does no harm; interrupting it does not stop the round.

    Exit status: 0 when everything that was asked for is done; 1 when an organisation's chain is broken, its run failed
    or there is no such organisation, and when the round could not be started or did not finish; 2 for wrong usage.
    """
    with deployed() as operator, _watching() as (begun, told):
        workflow = operator.anchor_workflow(ledger)
        execution = workflow.start({"run": "sweep"} if org is None else {"run": "org", "org_id": org})
        begun(execution)
        summary = workflow.wait(execution, told=told)
    if as_json:
        click.echo(json.dumps(summary))
    if org is not None and summary["failed"].get(org) == "NOT_FOUND":
        raise click.ClickException(f"there is no organisation {org!r} in the ledger {ledger}")
    if not as_json:
        click.echo(_done(summary))
    for line in _troubles(summary):
        click.echo(spelled_out(line), err=True)
    if summary["broken"] or summary["failed"] or summary["ledger"]["failed"]:
        raise SystemExit(1)


@contextmanager
def _watching() -> Iterator[tuple[Callable[[str], None], Callable[[Progress], None]]]:
    """A line on stderr that lives while the round runs, where a person looks at it."""
    execution = ""
    console = Console(stderr=True)
    with console.status("Starting a round …") as status:

        def begun(arn: str) -> None:
            nonlocal execution
            execution = arn

        def told(progress: Progress) -> None:
            minutes, seconds = divmod(int(progress.seconds), 60)
            counts = f"{progress.done:,} of {progress.batches:,} batches, " if progress.batches else ""
            status.update(f"Anchoring: {counts}{minutes}:{seconds:02}")

        try:
            yield begun, told
        except KeyboardInterrupt:
            if execution:
                click.echo(f"Interrupted. The round goes on: {execution}", err=True)
                raise SystemExit(128 + signal.SIGINT) from None
            raise


def _done(summary: dict[str, Any]) -> str:
    records, looked_at = summary["records"], summary["organisations"]
    organisations = f"{looked_at:,} organisation{'' if looked_at == 1 else 's'}"
    if not records:
        return f"{organisations} looked at: nothing to anchor."
    late = f", {summary['sealed']:,} of them sealed from the outbox first" if summary["sealed"] else ""
    return f"{organisations} looked at: {records:,} record{'' if records == 1 else 's'} anchored{late}."


def _troubles(summary: dict[str, Any]) -> Iterator[str]:
    for org_id, broken in summary["broken"].items():
        at = "" if broken["sequence"] is None else f" at record {broken['sequence']}"
        yield f"{org_id}: the chain is broken{at}: {broken['code']}, {broken['detail']}"
        yield f"{org_id}: nothing more is signed for it; verify it, keep the answer, see docs/operations.md."
    for org_id, code in summary["failed"].items():
        yield f"{org_id}: the run failed ({code}); the anchor function's log says why. The next round tries again."
    if summary["unlisted"]:
        yield f"{summary['unlisted']:,} more organisations are broken or failed: the anchor function's log names them."
    if summary["unfinished"]:
        yield (
            f"{summary['unfinished']:,} organisation{'' if summary['unfinished'] == 1 else 's'} had more to anchor "
            "than one function's time allows: the next round goes on."
        )
    if summary["ledger"]["failed"]:
        yield f"the ledger's own log did not go on: {summary['ledger']['failed']}. The next round tries again."
    yield from _external_troubles(summary.get("external_anchors", {}))


def _external_troubles(external: dict[str, Any]) -> Iterator[str]:
    """Failures of external anchoring stop nothing, and do not count against the round."""
    if external.get("failed"):
        yield f"external anchoring did not run: {external['failed']}; the log of the function external says why."
    for track, done in external.get("tracks", {}).items():
        if done["failure"]:
            yield f"external anchors, {track}: {done['failure']}. The next round asks again."
