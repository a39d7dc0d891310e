# SPDX-License-Identifier: Apache-2.0
"""`indelible anchor`: runs a round of anchoring now, as the schedule does, and reports its result."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from indelible.cli.deployment import deployed
from indelible.cli.options import json_option, ledger_option
from indelible.cli.terminal import counted, safe_text

if TYPE_CHECKING:
    from indelible.ports import Progress


@click.command()
@click.option("--org", metavar="NAME", help="Only this organisation.  [default: all]")
@ledger_option
@json_option
def anchor(org: str | None, ledger: str, as_json: bool) -> None:
    """Put all new records under signed checkpoints now, and wait until that is done.

    Starts a round of the deployed workflow, as the schedule does, with your AWS credentials. It is safe to run it at
    the same time as the schedule. Interrupting the command does not stop the round.

    Exit status: 0 done; 1 an organisation's chain is broken, its run failed or it does not exist, or the round could
    not be started or did not finish; 2 wrong usage.
    """
    with deployed() as operator, _progress() as (started, update):
        workflow = operator.anchor_workflow(ledger)
        execution = workflow.start({"run": "sweep"} if org is None else {"run": "org", "org_id": org})
        started(execution)
        summary = workflow.wait(execution, told=update)
    if as_json:
        click.echo(json.dumps(summary))
    if org is not None and summary["failed"].get(org) == "NOT_FOUND":
        raise click.ClickException(f"there is no organisation {org!r} in the ledger {ledger}")
    if not as_json:
        click.echo(_result(summary))
    for line in _problems(summary):
        click.echo(safe_text(line), err=True)
    if summary["broken"] or summary["failed"] or summary["ledger"]["failed"]:
        raise SystemExit(1)


@contextmanager
def _progress() -> Iterator[tuple[Callable[[str], None], Callable[[Progress], None]]]:
    """A status line on stderr, on a terminal only. Yields `started(arn)` and `update(progress)`."""
    execution = ""
    console = Console(stderr=True)
    with console.status("Starting a round …") as status:

        def started(arn: str) -> None:
            nonlocal execution
            execution = arn

        def update(progress: Progress) -> None:
            minutes, seconds = divmod(int(progress.seconds), 60)
            counts = f"{progress.done:,} of {progress.batches:,} batches, " if progress.batches else ""
            status.update(f"Anchoring: {counts}{minutes}:{seconds:02}")

        try:
            yield started, update
        except KeyboardInterrupt:
            if execution:
                click.echo(f"Interrupted. The round goes on: {execution}", err=True)
                raise SystemExit(128 + signal.SIGINT) from None
            raise


def _result(summary: dict[str, Any]) -> str:
    records, organisations = summary["records"], counted(summary["organisations"], "organisation")
    if not records:
        return f"{organisations} checked: nothing to anchor."
    late = f", {summary['sealed']:,} of them sealed from the outbox first" if summary["sealed"] else ""
    return f"{organisations} checked: {counted(records, 'record')} anchored{late}."


def _problems(summary: dict[str, Any]) -> Iterator[str]:
    for org_id, broken in summary["broken"].items():
        at = "" if broken["sequence"] is None else f" at record {broken['sequence']}"
        yield f"{org_id}: the chain is broken{at}: {broken['code']}, {broken['detail']}"
        yield f"{org_id}: nothing more is signed for it; run indelible verify, keep its output, see docs/operations.md."
    for org_id, code in summary["failed"].items():
        yield f"{org_id}: the run failed ({code}); the anchor function's log says why. The next round tries again."
    if summary["unlisted"]:
        yield f"{summary['unlisted']:,} more organisations are broken or failed: the anchor function's log names them."
    if summary["unfinished"]:
        yield (
            f"{counted(summary['unfinished'], 'organisation')} had more to anchor than one run's time allows; "
            "the next round continues."
        )
    if summary["ledger"]["failed"]:
        yield f"the ledger's own log was not extended: {summary['ledger']['failed']}. The next round tries again."
    yield from _external_problems(summary.get("external_anchors", {}))


def _external_problems(external: dict[str, Any]) -> Iterator[str]:
    """Failures of external anchoring do not make the round fail."""
    if external.get("failed"):
        yield f"external anchoring did not run: {external['failed']}; the external function's log says why."
    for track, done in external.get("tracks", {}).items():
        if done["failure"]:
            yield f"external anchors, {track}: {done['failure']}. The next round tries again."
