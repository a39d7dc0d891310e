# SPDX-License-Identifier: Apache-2.0
"""``make bench-cold-start``: how long each function takes to import its handler and to build what is behind it.

The layer is built twice as for Lambda, with and without bytecode, but from the packages of this environment, which has
the same versions. Each measurement is a fresh process that sees nothing but that layer; it writes no bytecode, like a
function that cannot write to /opt. Rounds are interleaved: what else the machine does meets all of them. Starting
Python itself, and AWS, are not in the numbers; nothing is asked of the network.
"""

from __future__ import annotations

import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import distribution
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.machine import describe
from infra.bundling import ROOT, build_layer

FUNCTIONS = {
    "record": ["record:record_api"],
    "prove": ["prove:proof_api"],
    "verify": ["verify:verify_api"],
    "mcp": ["mcp:mcp_server"],
    "meta": ["meta:meta"],
    "export": ["export:export_api"],
    "pack": ["pack:packer"],
    "plan": ["plan:planner", "plan:round_starts"],
    "anchor": ["anchor:rounds", "anchor:ledger_log"],
    "external": ["external:external_anchors"],
}
"""What the handler of each function builds, each a module of `indelible.entry.bootstrap` and a function there."""

ENVIRONMENT = {
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "INDELIBLE_LEDGER_NAME": "indelible",
    "INDELIBLE_BUCKET": "bucket",
    "INDELIBLE_TABLE": "table",
    "INDELIBLE_LOCK_MODE": "COMPLIANCE",
    "INDELIBLE_RETENTION_DAYS": "2555",
    "INDELIBLE_SECRET_ARN": "secret",
    "INDELIBLE_SIGNING_KEY_IDS": "key",
    "INDELIBLE_EXPORTS_BUCKET": "exports",
    "INDELIBLE_PACK_FUNCTION": "pack",
    "POWERTOOLS_SERVICE_NAME": "indelible",
    "POWERTOOLS_METRICS_NAMESPACE": "Indelible",
}

_MEASURED = """
import json, sys, time
layer, code, *builders = sys.argv[1:]
sys.path[:0] = [code, layer]
begun, spent = time.perf_counter(), time.process_time()
import handler
for builder in builders:
    module, name = builder.split(":")
    getattr(sys.modules["indelible.entry.bootstrap." + module], name)()
ended, all_spent = time.perf_counter(), time.process_time()
print(json.dumps([1000 * (ended - begun), 1000 * (all_spent - spent), len(sys.modules)]))
"""


@dataclass(frozen=True)
class HereBundling:
    """The pinned packages as they are installed in this environment, for this machine."""

    python: str | None
    target: str = "here"

    def install(self, requirements: Path, destination: Path) -> None:
        """Copy every package that the lock names."""
        for name in re.findall(r"^([a-z0-9-]+)==", requirements.read_text(encoding="utf-8"), re.MULTILINE):
            for file in distribution(name).files or []:
                if ".." not in file.parts and file.suffix != ".pyc":
                    copy = destination / file
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file.locate(), copy)


@dataclass(frozen=True)
class Start:
    """Its duration, and how many modules there were at the end. Processor time is what a busy machine changes least."""

    wall_ms: float
    processor_ms: float
    modules: int


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("functions", nargs=-1, type=click.Choice(list(FUNCTIONS)))
@click.option("--rounds", type=click.IntRange(min=1), default=15, show_default=True, help="Processes for each number.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout instead of a table.")
def main(functions: tuple[str, ...], rounds: int, as_json: bool) -> None:
    """Median milliseconds of importing and building each function, with and without bytecode."""
    machine = describe()
    with tempfile.TemporaryDirectory(prefix="indelible-cold-start-") as directory:
        layers = {form: Path(directory) / form for form in ("bytecode", "source")}
        build_layer(layers["bytecode"], bundling=HereBundling(sys.executable))
        build_layer(layers["source"], bundling=HereBundling(None))
        starts: dict[str, dict[str, list[Start]]] = {
            name: {form: [] for form in layers} for name in functions or FUNCTIONS
        }
        for _ in track(range(rounds), "cold starts", console=Console(stderr=True)):
            for name, forms in starts.items():
                for form, taken in forms.items():
                    taken.append(_start(name, layers[form] / "python"))
    medians = {name: {form: _median(taken) for form, taken in forms.items()} for name, forms in starts.items()}
    if as_json:
        told = {name: {form: asdict(start) for form, start in forms.items()} for name, forms in medians.items()}
        print(json.dumps({"machine": machine, "rounds": rounds, "medians": told}, indent=2))
        return
    console = Console(highlight=False)
    where = f"{machine['cores']} cores of {machine['processor']}, load {machine['load']}"
    console.print(f"{where}, Python {machine['python']}")
    heads = ("", "modules", "with bytecode: ms", "of the processor", "without: ms", "of the processor")
    table = Table(*heads, title=f"Medians of {rounds}", title_justify="left")
    for name, median in medians.items():
        times = [value for start in median.values() for value in (start.wall_ms, start.processor_ms)]
        table.add_row(name, str(median["bytecode"].modules), *(f"{value:,.0f}" for value in times))
    console.print(table)


def _start(name: str, layer: Path) -> Start:
    # -I and -S: neither this environment's packages nor this directory; -B: nothing that is compiled stays.
    command = [sys.executable, "-I", "-S", "-B", "-c", _MEASURED, str(layer), str(ROOT / "lambdas" / name)]
    done = subprocess.run([*command, *FUNCTIONS[name]], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=True)
    return Start(*json.loads(done.stdout))


def _median(starts: Sequence[Start]) -> Start:
    walls, processors = [start.wall_ms for start in starts], [start.processor_ms for start in starts]
    return Start(statistics.median(walls), statistics.median(processors), starts[0].modules)


if __name__ == "__main__":
    main()
