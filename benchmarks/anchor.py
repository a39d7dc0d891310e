# SPDX-License-Identifier: Apache-2.0
"""``make bench-anchor``: what a run of the anchor costs on top of trees of 10³, 10⁵ and 10⁶ records.

The records under such a tree do not have to be real for that: the right edge of a tree with made-up leaves is
written through the adapters (the partial tiles and the bundle that the next pass reads, no more), with a checkpoint
that the ledger's key signed, and the table is told that the chain is that long. Then 1,000 real records follow, and
the anchor runs in this process, where botocore reports every request.

AWS calls are the same on AWS. Times are an emulator's on this machine, where everything shares the processor.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from benchmarks.counting import new_org, progress
from benchmarks.machine import describe
from indelible.aws.s3_records import S3Records
from indelible.domain import instants, merkle, tiles
from indelible.domain.audit_id import RANDOM_BITS
from indelible.domain.canonical import canonical_bytes
from indelible.domain.record import EMPTY_CHAIN, GovernorKey, Head, Record, build
from indelible.domain.tiles import Edge, File
from indelible.ports import LogState
from local.env import Outputs
from local.state import DEFAULT_STATE, LocalError
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.calls import Calls, recorded
from tests.e2e.helpers.inprocess import wiring

SIZES = (0, 1_000, 100_000, 1_000_000)
_COMMIT = 64
_GOVERNOR = GovernorKey(key_id="k1", secret=b"made up for a benchmark")


@dataclass(frozen=True)
class Cost:
    """One run: `added` records on top of a tree of `size`. `steady` is a run for one record more."""

    size: int
    added: int
    seconds: float
    records_per_second: float
    calls: dict[str, int]
    log_objects_read: int
    log_objects_written: int
    steady: dict[str, int]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--state", type=click.Path(path_type=Path), default=DEFAULT_STATE, help="The running ledger's state.")
@click.option("--records", type=click.IntRange(1, 1000), default=1000, show_default=True, help="How many to anchor.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout instead of a table.")
def main(state: Path, records: int, as_json: bool) -> None:
    """Anchor records on top of trees of several sizes, and count AWS calls."""
    try:
        outputs = Outputs.load(state)
    except LocalError as error:
        raise click.ClickException(str(error)) from None
    machine = describe()
    costs = [measured(outputs, size, records) for size in SIZES]
    if as_json:
        json.dump({"machine": machine, "runs": [asdict(cost) for cost in costs]}, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    _show(costs, machine)


def measured(outputs: Outputs, size: int, count: int) -> Cost:
    """Build, run, count; and check what came out."""
    progress.print(f"a tree of {size:,}: writing its edge and {count:,} records")
    admin = Admin.of(outputs)
    function = admin.client("lambda").get_function_configuration(FunctionName=admin.function("anchor"))
    org_id = new_org(outputs)["org_id"]
    with recorded() as calls, wiring(outputs, function["Environment"]["Variables"]) as bootstrap:
        rounds = bootstrap.anchor.rounds()
        head = _pretend(bootstrap, org_id, size)
        if head is not None:
            admin.set_head(org_id, head)
        chain = _write(bootstrap, org_id, head, count)
        calls.clear()
        begun = time.perf_counter()
        report = rounds.anchor([org_id], budget_ms=600_000)
        seconds = time.perf_counter() - begun
        made, log_read, log_written = dict(calls.counts()), *_log_traffic(calls)
        if report.failed or report.reports[0].records != count:
            raise click.ClickException(f"the run on a tree of {size} did not anchor {count} records: {report}")
        opened = bootstrap.log.log_reader().opened(org_id, size + count)
        if opened.checkpoint.size != size + count:
            raise click.ClickException("no checkpoint of the size that was anchored")
        _write(bootstrap, org_id, chain[-1].head, 1)
        calls.clear()
        rounds.anchor([org_id], budget_ms=600_000)
        steady = dict(calls.counts())
    per_second = round(count / seconds, 1)
    return Cost(size, count, round(seconds, 2), per_second, made, log_read, log_written, steady)


def _pretend(bootstrap: ModuleType, org_id: str, size: int) -> Head | None:
    """Make bucket and table say that `size` records are anchored. The head to go on from; None for an empty tree."""
    if not size:
        return None
    edge, files = _edge(size)
    now_ms = time.time_ns() // 1_000_000
    until_ms = instants.first_midnight_at_or_after(
        now_ms + instants.DAY_MS * bootstrap.shared.settings().retention().days
    )
    bootstrap.bucket.log_files().write(org_id, files, retain_until_ms=until_ms)
    log = bootstrap.anchor.rounds()._anchor._log
    log.publish(org_id, edge, at_least_until_ms=until_ms)
    head = Head(sequence=size, tx_hash=_leaf(size - 1).hex(), timestamp_ms=now_ms)
    state = LogState(tail=head, root=edge.root().hex(), published=head, cleared=size)
    register = bootstrap.anchor.rounds()._anchor._register
    if not register.advance(org_id, register.read(org_id), state):
        raise click.ClickException("the organisation is not new")
    return head


def _edge(size: int) -> tuple[Edge, list[File]]:
    """The right edge of a tree of made-up leaves, and the partial tiles and bundle that hold it."""
    width, files, rows = tiles.WIDTH, [], []
    row = [merkle.leaf_hash(_leaf(index)) for index in range(size)]
    leaves = tuple(_leaf(index) for index in range(size - size % width, size))
    if leaves:
        files.append(File(tiles.entries_path(size // width, len(leaves)), tiles.bundle(leaves)))
    level = 0
    while row:
        rest = row[len(row) - len(row) % width :]
        if rest:
            files.append(File(tiles.tile_path(level, len(row) // width, len(rest)), b"".join(rest)))
        if level:
            rows.append(tuple(rest))
        full = range(0, len(row) - len(rest), width)
        row, level = [merkle.perfect_root(row[start : start + width]) for start in full], level + 1
    edge = Edge(size, leaves, tuple(rows))
    return edge, files


def _leaf(index: int) -> bytes:
    return hashlib.sha256(f"made up {index}".encode()).digest()


def _write(bootstrap: ModuleType, org_id: str, head: Head | None, count: int) -> list[Record]:
    """Real records after the head: committed, waiting in the outbox, sealed."""
    settings = bootstrap.shared.settings()
    journal = bootstrap.table.journal()
    before = head or EMPTY_CHAIN
    chain: list[Record] = []
    for number in range(count):
        chain.append(
            build(
                canonical_bytes({"event_type": "AGENT_DECISION", "payload": {"number": number, "text": "x" * 400}}),
                org_id=org_id,
                head=chain[-1].head if chain else before,
                now_ms=time.time_ns() // 1_000_000,
                retention=settings.retention(),
                governor=_GOVERNOR,
                random=secrets.randbits(RANDOM_BITS),
            )
        )
    for start in range(0, count, _COMMIT):
        journal.commit(chain[start - 1].head if start else before, chain[start : start + _COMMIT], None, 0)
    records: S3Records = bootstrap.bucket.record_store()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(records.seal, chain))
        list(pool.map(bootstrap.table.index().put, chain))
    return chain


def _log_traffic(calls: Calls) -> tuple[int, int]:
    """How many of the log's own objects were read and written."""
    touched = [call for call in calls.all() if "/_log/" in call.target]
    operations = [call.operation for call in touched]
    return operations.count("GetObject"), operations.count("PutObject")


def _show(costs: list[Cost], machine: dict[str, Any]) -> None:
    console = Console(highlight=False)
    where = f"{machine['cores']} cores of {machine['processor']}, load {machine['load']}"
    console.print(f"{where}; {machine['emulator']}, Python {machine['python']}")
    names = list(dict.fromkeys(name for cost in costs for name in cost.calls))
    heads = [f"on {cost.size:,}" for cost in costs]
    table = Table("", *heads, title=f"AWS calls to anchor {costs[0].added:,} records", title_justify="left")
    for name in names:
        table.add_row(name, *(f"{cost.calls.get(name, 0):,}" for cost in costs))
    table.add_row("all", *(f"{sum(cost.calls.values()):,}" for cost in costs), style="bold")
    table.add_row("of them reading the log", *(str(cost.log_objects_read) for cost in costs))
    table.add_row("of them writing the log", *(str(cost.log_objects_written) for cost in costs))
    table.add_row("all, for one record more", *(str(sum(cost.steady.values())) for cost in costs))
    table.add_row("records/s", *(f"{cost.records_per_second:,}" for cost in costs))
    console.print(table)
    console.print("[dim]Calls are those of AWS too; times are an emulator's on this machine.[/dim]")


if __name__ == "__main__":
    main()
