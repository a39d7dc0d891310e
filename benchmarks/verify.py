# SPDX-License-Identifier: Apache-2.0
"""How fast a bundle is verified offline, beside two other ledgers' verifiers and beside hashing the same bytes.

Each of the others is installed from PyPI into an environment of its own below `.local/bench-verify/`, makes a chain of
as many entries with its own code, and verifies it with its own code. Rounds are interleaved: what else the machine does
meets all of them. Times are those of the verification, in a process that has started.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.bundles import EVENT_BYTES, VERIFIER_KEY, bundle_of
from benchmarks.machine import describe

HERE = Path(__file__).parent
PLACE = Path(".local") / "bench-verify"
PEERS = {"nexuscone": "0.2.1", "vaara": "2.15.0"}
OURS = "indelible"
progress = Console(stderr=True)


@click.command()
@click.option("--records", type=click.IntRange(min=1000), default=100_000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--peers/--no-peers", default=True, help="Beside nexuscone and vaara; installs them from PyPI.")
@click.option(
    "--memory", type=int, multiple=True, default=(10_000, 100_000, 1_000_000), help="Peak memory at this many."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout instead of tables.")
def main(records: int, rounds: int, peers: bool, memory: tuple[int, ...], as_json: bool) -> None:
    """Verify RECORDS records of about 900 bytes, several times, and say how long it took."""
    machine = describe()
    bundle = bundle_of(records, PLACE)
    runners = dict(_runners(bundle, records, with_peers=peers))
    rates: dict[str, list[float]] = {name: [] for name in runners}
    for _ in track(range(rounds), "verifying", console=progress):
        for name, command in runners.items():
            rates[name].append(records / _measured(command)["seconds"])
    medians = {name: round(statistics.median(found)) for name, found in rates.items()}
    peaks = {count: _measured(_ours(bundle_of(count, PLACE), 1))["peak_mib"] for count in memory}
    result = {
        "machine": machine,
        "records": records,
        "event_bytes": EVENT_BYTES,
        "records_per_second": medians,
        "all_rounds": {name: [round(rate) for rate in found] for name, found in rates.items()},
        "ratios": _ratios(medians),
        "peak_mib": peaks,
    }
    if as_json:
        json.dump(result, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        _show(result, Console(highlight=False))


def _runners(bundle: Path, records: int, *, with_peers: bool) -> Iterator[tuple[str, list[str]]]:
    measure = [sys.executable, str(HERE / "measure_verify.py")]
    yield "SHA-256 of the records (the floor)", [*measure, "floor", str(bundle)]
    yield "SHA-256 of the records, 2 processes", [*measure, "floor", str(bundle), "2"]
    yield f"{OURS}, whole", _ours(bundle, 1)
    yield f"{OURS}, whole, 2 processes", _ours(bundle, 2)
    yield f"{OURS}, hashes and links", [*measure, "links", str(bundle)]
    if with_peers:
        for name, version in PEERS.items():
            yield f"{name} {version}", _peer(name, version, records)


def _ours(bundle: Path, jobs: int) -> list[str]:
    return [sys.executable, str(HERE / "measure_verify.py"), "whole", str(bundle), str(jobs), VERIFIER_KEY]


def _peer(name: str, version: str, records: int) -> list[str]:
    """Its environment and its chain, made once."""
    home = PLACE / f"{name}-{version}"
    python, store = home / "bin" / "python", PLACE / f"{name}-{version}-{records}.db"
    if not python.exists():
        progress.print(f"installing {name} {version} into {home}/ …")
        venv.create(home, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", f"{name}=={version}"], check=True, stdout=sys.stderr)
    script = str(HERE / "peers" / f"with_{name}.py")
    if not store.exists():
        progress.print(f"{name} makes a chain of {records:,} entries (some minutes) …")
        making = store.with_suffix(".making")
        making.unlink(missing_ok=True)
        subprocess.run([python, script, "make", str(making), str(records), str(EVENT_BYTES)], check=True)
        making.rename(store)
    return [str(python), script, "verify", str(store), str(records)]


def _measured(command: list[str]) -> dict[str, float]:
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _ratios(medians: dict[str, int]) -> dict[str, float]:
    """Ours to the faster of the others, and the floor to ours."""
    floors = [rate for name, rate in medians.items() if name.startswith("SHA-256")]
    ours = [medians[f"{OURS}, whole"], medians[f"{OURS}, whole, 2 processes"]]
    ratios = {
        "floor / whole": round(floors[0] / ours[0], 2),
        "floor / whole, 2 processes": round(floors[1] / ours[1], 2),
        "floor / hashes and links": round(floors[0] / medians[f"{OURS}, hashes and links"], 2),
    }
    peers = [rate for name, rate in medians.items() if name.split()[0] in PEERS]
    if peers:
        # Theirs hash and compare links, too, and nothing else.
        ratios["hashes and links / faster peer"] = round(medians[f"{OURS}, hashes and links"] / max(peers), 2)
        ratios["whole / faster peer"] = round(ours[0] / max(peers), 2)
        ratios["whole, 2 processes / faster peer"] = round(ours[1] / max(peers), 2)
    return ratios


def _show(result: dict[str, Any], console: Console) -> None:
    machine = result["machine"]
    where = f"{machine['cores']} cores of {machine['processor']}, load {machine['load']}, Python {machine['python']}"
    console.print(f"{result['records']:,} records of about 900 bytes on {where}; medians of interleaved rounds")
    table = Table("", "records/s", "rounds")
    for name, rate in result["records_per_second"].items():
        table.add_row(name, f"{rate:,}", " ".join(f"{one // 1000}k" for one in result["all_rounds"][name]))
    console.print(table)
    for name, ratio in result["ratios"].items():
        console.print(f"{name}: {ratio}")
    peaks = ", ".join(f"{peak:.0f} MiB at {count:,}" for count, peak in result["peak_mib"].items())
    console.print(f"peak memory: {peaks}")
    console.print("[dim]whole: hashes, links, keys, times, receipts, the Merkle tree and every signed root.[/dim]")


if __name__ == "__main__":
    main()
