# SPDX-License-Identifier: Apache-2.0
"""How fast a bucket is read, by the ways that there are: processor time for an object, and objects a second.

The bucket is a stand-in on the loopback interface that answers at once, or after as long as S3 takes. Rounds are
interleaved: what else the machine does meets all of them. `obstore` is installed from PyPI into an environment of its
own below `.local/bench-bucket/`. Nothing here is S3: no TLS, no distance beyond the waiting, nobody who slows one down.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.bundles import ORG, VERIFIER_KEY, bundle_of
from benchmarks.machine import describe
from benchmarks.measure_bucket import ID, REGION, SECRET
from benchmarks.s3_stand_in import BUCKET, VERSION
from indelible.audit.bundle import BundleSource

HERE = Path(__file__).parent
PLACE = Path(".local") / "bench-bucket"
OBSTORE = "0.12.1"
progress = Console(stderr=True)


@dataclass(frozen=True)
class Way:
    """A function of measure_bucket.py, or `verify`: the whole command."""

    name: str
    function: str
    processes: int = 1
    crt: bool = True
    python: str = sys.executable


@dataclass(frozen=True)
class Took:
    """Seconds of wall clock and of processors, for `objects` objects."""

    wall: float
    cpu: float
    objects: int


@click.command()
@click.option("--objects", type=click.IntRange(min=500), default=10_000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--latency", type=float, multiple=True, default=(0, 20), show_default=True, help="Milliseconds.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout instead of tables.")
def main(objects: int, rounds: int, latency: tuple[float, ...], as_json: bool) -> None:
    """Read OBJECTS records of about 900 bytes, several times in each way, and say what it took."""
    machine, ways = describe(), _ways()
    bundle, keys = bundle_of(objects, PLACE), PLACE / f"{objects}.keys"
    source = BundleSource(bundle)
    keys.write_text("\n".join(entry.s3_key for entry in source.versions(ORG, after="")))
    took: dict[tuple[float, str], list[Took]] = {(ms, way.name): [] for ms in latency for way in ways}
    with ExitStack() as stack:
        addresses = {ms: stack.enter_context(_stand_in(bundle, ms)) for ms in latency}
        for _, ms, way in track(list(product(range(rounds), latency, ways)), "reading", console=progress):
            measure = _verify if way.function == "verify" else _read
            took[ms, way.name].append(measure(way, addresses[ms], keys, objects))
    result = {
        "machine": machine,
        "objects": objects,
        "latencies_ms": list(latency),
        "ways": [_summary(way, {ms: took[ms, way.name] for ms in latency}) for way in ways],
    }
    result["ratios"] = _ratios(result)
    if as_json:
        json.dump(result, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        _show(result, Console(highlight=False))


def _ways() -> list[Way]:
    return [
        Way("plain sockets, unsigned", "sockets"),
        Way("obstore: bytes alone", "obstore", python=_environment("obstore", OBSTORE)),
        Way("boto3, 32 threads", "indelible", crt=False),
        Way("boto3, 32 threads, 2 processes", "indelible", 2, crt=False),
        Way("boto3, least settings", "settings"),
        Way("urllib3 with botocore's signer", "signer"),
        Way("awscrt, 128 at once", "indelible"),
        Way("awscrt, 128 at once, 2 processes", "indelible", 2),
        Way("verify --jobs 1, boto3 alone", "verify", crt=False),
        Way("verify --jobs 2, boto3 alone", "verify", 2, crt=False),
        Way("verify --jobs 1", "verify"),
        Way("verify --jobs 2", "verify", 2),
    ]


def _environment(name: str, version: str) -> str:
    """The interpreter of an environment with this package, made once."""
    home = PLACE / f"{name}-{version}"
    python = home / "bin" / "python"
    if not (home / ".installed").exists():
        progress.print(f"installing {name} {version} into {home}/ …")
        venv.create(home, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", f"{name}=={version}"], check=True, stdout=sys.stderr)
        (home / ".installed").touch()
    return str(python)


@contextmanager
def _stand_in(bundle: Path, milliseconds: float) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.s3_stand_in", str(bundle), str(milliseconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()  # it ends with it


def _read(way: Way, address: str, keys: Path, objects: int) -> Took:
    """Each process reads its share; all are ready before the clock starts."""
    lines = keys.read_text().split()
    running = []
    for number in range(way.processes):
        share = keys.with_suffix(f".{number}")
        share.write_text("\n".join(lines[number :: way.processes]))
        command = [way.python, str(HERE / "measure_bucket.py"), way.function, address, BUCKET, VERSION, str(share)]
        running.append(_started(command, way))
    for one in running:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    begun = time.perf_counter()
    for one in running:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    found = [json.loads(one.stdout.readline()) for one in running if one.stdout is not None]
    wall = time.perf_counter() - begun
    for one in running:
        one.communicate()
        assert one.returncode == 0
    return Took(wall, sum(one["cpu_seconds"] for one in found), objects)


def _verify(way: Way, address: str, _keys: Path, objects: int) -> Took:
    """The command as anybody runs it, its start and that of its workers included."""
    words = ["verify", f"s3://{BUCKET}/{ORG}", "--endpoint-url", address, "--key", VERIFIER_KEY, "--json"]
    command = [sys.executable, "-m", "indelible.cli.main", *words, "--jobs", str(way.processes)]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    running = _started(command, way)
    stdout, _ = running.communicate()
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if running.returncode != 0:
        raise SystemExit("what was made does not verify")
    verdict = json.loads(stdout)
    assert (verdict["valid"], verdict["entries_checked"]) == (True, objects), verdict
    return Took(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, objects)


def _started(command: Sequence[str], way: Way) -> subprocess.Popen[str]:
    keys = {"AWS_ACCESS_KEY_ID": ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": REGION}
    environment = {**os.environ, **keys, "BOTO_DISABLE_CRT": str(not way.crt).lower()}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def _summary(way: Way, took: dict[float, list[Took]]) -> dict[str, Any]:
    cpu = [1000 * one.cpu / one.objects for found in took.values() for one in found]
    rates = {ms: [one.objects / one.wall for one in found] for ms, found in took.items()}
    return {
        "name": way.name,
        "cpu_seconds_per_1000": round(statistics.median(cpu), 3),
        "objects_per_second": {f"{ms:g}": round(statistics.median(found)) for ms, found in rates.items()},
        "all_rounds": {f"{ms:g}": [round(rate) for rate in found] for ms, found in rates.items()},
    }


def _ratios(result: dict[str, Any]) -> dict[str, float]:
    """boto3's to awscrt's, each the same way."""
    found = {way["name"]: way for way in result["ways"]}
    pairs = {
        "reading": ("boto3, 32 threads", "awscrt, 128 at once"),
        "verify --jobs 1": ("verify --jobs 1, boto3 alone", "verify --jobs 1"),
        "verify --jobs 2": ("verify --jobs 2, boto3 alone", "verify --jobs 2"),
    }
    ratios = {}
    for name, (boto3, awscrt) in pairs.items():
        slow, fast = found[boto3], found[awscrt]
        ratios[f"{name}: processor time, boto3 / awscrt"] = slow["cpu_seconds_per_1000"] / fast["cpu_seconds_per_1000"]
        for ms, rate in fast["objects_per_second"].items():
            ratios[f"{name}: rate at {ms} ms, awscrt / boto3"] = rate / slow["objects_per_second"][ms]
    return {name: round(ratio, 2) for name, ratio in ratios.items()}


def _show(result: dict[str, Any], console: Console) -> None:
    machine = result["machine"]
    where = f"{machine['cores']} cores of {machine['processor']}, load {machine['load']}, Python {machine['python']}"
    console.print(f"{result['objects']:,} records of about 900 bytes on {where}; medians of interleaved rounds")
    latencies = [f"{ms:g}" for ms in result["latencies_ms"]]
    table = Table("", "CPU s per 1,000", *(f"objects/s at {ms} ms" for ms in latencies))
    for way in result["ways"]:
        rates = [f"{way['objects_per_second'][ms]:,}" for ms in latencies]
        table.add_row(way["name"], f"{way['cpu_seconds_per_1000']:.3f}", *rates)
    console.print(table)
    for name, ratio in result["ratios"].items():
        console.print(f"{name}: {ratio}")
    console.print("[dim]The stand-in has a share of the same cores. A GET by obstore and a HEAD by boto3 for the locks")
    console.print("[dim]would cost what boto3 costs, and obstore's on top: a HEAD is the same request to boto3.[/dim]")


if __name__ == "__main__":
    main()
