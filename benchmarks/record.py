# SPDX-License-Identifier: Apache-2.0
"""``make bench-record``: record a real agent run through the API, verify it, and count what it costs in AWS calls.

Three passes over the same events, each into an organisation of its own:

1. through the API, one request for each trace (a batch), one client, one after another;
2. through the API, one request for each event;
3. through the same objects that the functions build (`entry.bootstrap`), in this process, where botocore reports
   every request that is sent: the functions' own processes cannot be looked into. Retries count.

An organisation's share (`org_rate`) is lifted meanwhile: it would be all that is measured. Times are those of an
emulator on this machine, where every service shares the processor with the client. They compare versions of this
code with each other; they say nothing of AWS. The number of calls is the same there.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.counting import Cost, RecordFunction, counted, new_org, progress
from benchmarks.events import Event, by_trace, load, synthetic
from benchmarks.machine import Latency, Machine, describe
from indelible.client import LedgerClient
from local.env import Outputs
from local.state import DEFAULT_STATE, ROOT, LocalError

DATA = ROOT.parent / "shared" / "data" / "agent-decisions.jsonl"


@dataclass(frozen=True)
class Run:
    """One pass through the API, and what verifying it said."""

    how: str
    org_id: str
    records: int
    requests: int
    seconds: float
    records_per_second: float
    latency_ms: Latency
    valid: bool
    entries_checked: int
    verification_ms: int
    verify_request_ms: float


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--events", "path", type=click.Path(path_type=Path), default=DATA, help="Events, one JSON object a line.")
@click.option("--singles", type=int, default=None, help="How many events to record one by one.  [default: all]")
@click.option("--state", type=click.Path(path_type=Path), default=DEFAULT_STATE, help="The running ledger's state.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout instead of tables.")
def main(path: Path, singles: int | None, state: Path, as_json: bool) -> None:
    """Record a large agent run through the API of the local ledger, verify it, and count AWS calls."""
    try:
        outputs = Outputs.load(state)
    except LocalError as error:
        raise click.ClickException(str(error)) from None
    machine = describe()  # before the run adds to the load
    events, source = _events(path)
    alone = events[:singles]
    ways = {"batches by trace": by_trace(events), "one by one": [[event] for event in alone]}
    with RecordFunction(outputs) as function:
        runs = [_through_the_api(outputs, how, requests) for how, requests in ways.items()]
        costed = [counted(outputs, how, requests, function.variables) for how, requests in ways.items()]
    # Verifying costs the same however the records came.
    costs = [*(recording for recording, _ in costed), costed[0][1]]
    if as_json:
        json.dump(_as_json(machine, source, runs, costs), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        _show(machine, source, runs, costs)
    if not all(run.valid and run.entries_checked == run.records for run in runs):
        raise click.ClickException("what was recorded does not verify")


def _events(path: Path) -> tuple[list[Event], str]:
    try:
        return load(path), path.name
    except FileNotFoundError:
        progress.print(f"[yellow]{path} is not there:[/yellow] recording a made-up run of the same shape instead")
        return synthetic(), "synthetic run"


def _through_the_api(outputs: Outputs, how: str, requests: Sequence[Sequence[Event]]) -> Run:
    org = new_org(outputs)
    took: list[float] = []
    with LedgerClient(outputs.api_url, org_id=org["org_id"], hmac_secret=org["hmac_secret"], trust_env=False) as ledger:
        begun = time.perf_counter()
        for events in track(requests, f"{how}, through the API", console=progress):
            took.append(_timed(lambda events=events: _record(ledger, events)))  # type: ignore[misc]
        seconds = time.perf_counter() - begun
        asked = time.perf_counter()
        verdict = ledger.verify()
        verified = time.perf_counter() - asked
    records = sum(len(events) for events in requests)
    return Run(
        how=how,
        org_id=org["org_id"],
        records=records,
        requests=len(requests),
        seconds=round(seconds, 1),
        records_per_second=round(records / seconds, 1),
        latency_ms=Latency.of(took),
        valid=verdict["valid"] is True,
        entries_checked=verdict["entries_checked"],
        verification_ms=verdict["verification_time_ms"],
        verify_request_ms=round(1000 * verified, 1),
    )


def _record(ledger: LedgerClient, events: Sequence[Event]) -> None:
    if len(events) == 1:
        ledger.record(events[0])
    else:
        ledger.record_batch(events)


def _timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _as_json(machine: Machine, source: str, runs: Sequence[Run], costs: Sequence[Cost]) -> dict[str, Any]:
    return {
        "machine": machine,
        "events": source,
        "runs": [asdict(run) for run in runs],
        "aws_calls": {
            "counted": "in this process, by botocore, over the objects that the functions build; retries count",
            "ways": [{**asdict(cost), "total_per_1000": cost.total} for cost in costs],
        },
    }


def _show(machine: Machine, source: str, runs: Sequence[Run], costs: Sequence[Cost]) -> None:
    console = Console(highlight=False)
    where = f"{machine['cores']} cores of {machine['processor']}, load {machine['load']}"
    console.print(f"{source} on {where}; {machine['emulator']}, Python {machine['python']}")
    heads = ("", "records", "requests", "seconds", "records/s", "median ms", "p99 ms")
    table = Table(*heads, title="Recorded through the API, one client", title_justify="left")
    for run in runs:
        latency = run.latency_ms
        row = (run.records, run.requests, run.seconds, run.records_per_second, latency.median, latency.p99)
        table.add_row(run.how, *(f"{value:,}" for value in row))
    console.print(table)
    for run in runs:
        verdict = "[green]valid[/green]" if run.valid else "[red]NOT VALID[/red]"
        console.print(f"{run.how}: {verdict}, {run.entries_checked:,} records verified in {run.verification_ms:,} ms")
    operations = list(dict.fromkeys(name for cost in costs for name in cost.calls_per_1000))
    table = Table("", *(cost.how for cost in costs), title="AWS calls per 1,000 records", title_justify="left")
    for name in operations:
        table.add_row(name, *(f"{cost.calls_per_1000.get(name, 0):,}" for cost in costs))
    table.add_row("all", *(f"{cost.total:,}" for cost in costs), style="bold")
    console.print(table)
    console.print("Counted by botocore, in this process, over the objects that the functions build.")
    console.print("[dim]Times are an emulator's on this machine; they say nothing of AWS.[/dim]")


if __name__ == "__main__":
    main()
