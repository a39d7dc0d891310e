# SPDX-License-Identifier: Apache-2.0
"""``python -m local``, which the Makefile calls."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from local import emulator, ledger
from local.env import Outputs
from local.external import stand_ins
from local.state import DEFAULT_STATE, LocalError, State

# For progress and errors. Only the demo prints to stdout.
console = Console(stderr=True, highlight=False)


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Show a spinner on a terminal while the block runs, and print one line when it is done."""
    begun = time.monotonic()
    with console.status(f"{escape(title)} …"):
        yield
    console.print(f"[green]✓[/green] {escape(title)} [dim]{time.monotonic() - begun:.1f} s[/dim]")


_state = click.option(
    "--state",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_STATE,
    help="Directory that holds this ledger's state.  [default: .local]",
)
_port = click.option(
    "--port", type=click.IntRange(1024, 65535), default=None, help="Port on 127.0.0.1.  [default: 4566]"
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """An Indelible ledger on this machine: the real stacks in an AWS emulator."""


@cli.command()
@_state
@_port
@click.option("--external", is_flag=True, help="Also start a timestamp authority, a calendar and a witness.")
def up(directory: Path, port: int | None, external: bool) -> None:
    """Start or update the local ledger.

    Starts the emulator, deploys the stacks and creates the organisation acme-corp, as far as that is not done yet.
    """
    outputs = ledger.up(port=port, directory=directory, external=external, step=step)
    console.print(f"The ledger answers at [bold]{escape(outputs.api_url)}[/bold]", soft_wrap=True)
    files = f"keys and names: {_shown(State(directory).outputs)} · `make down` stops and forgets it"
    console.print(f"[dim]{escape(files)}[/dim]", soft_wrap=True)


@cli.command()
@_state
def down(directory: Path) -> None:
    """Stop the local ledger and delete its data.

    The emulator keeps everything in memory.
    """
    if ledger.down(directory=directory, step=step) is None:
        console.print("No local ledger was running.")


@cli.command()
@_state
def status(directory: Path) -> None:
    """Print whether the local ledger is running, and its addresses.

    Exit status: 0 running, 1 not running.
    """
    found = emulator.running(State(directory))
    if found is None:
        console.print("No local ledger is running; `make up` starts one.")
        raise SystemExit(1)
    health = "healthy" if emulator.healthy(found.port) else "not answering"
    console.print(f"Emulator on port {found.port} (process {found.pid}): {health}")
    console.print(f"API: {Outputs.load(directory).api_url}", markup=False)
    others = stand_ins.running(State(directory).external)
    if others:
        console.print(
            f"Timestamp authority: {others.timestamp_authority} (root: {others.timestamp_root})\n"
            f"OpenTimestamps calendar: {others.calendar} (headers: {others.bitcoin_headers})\n"
            f"Witness: {others.witness} ({others.witness_key})",
            soft_wrap=True,
            markup=False,
        )


@cli.command()
@_state
@_port
def demo(directory: Path, port: int | None) -> None:
    """Record, prove, verify, and detect tampering.

    Starts the local ledger if it is not running.
    """
    from local.demo import run

    run(ledger.up(port=port, directory=directory, step=step))


def _shown(path: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(path.resolve().relative_to(Path.cwd()))
    return str(path)


def main() -> None:
    """Run the command; expected errors and Ctrl-C end it with one line instead of a traceback."""
    try:
        cli.main(prog_name="python -m local", standalone_mode=False)
    except LocalError as error:
        console.print(f"[red]error:[/red] {escape(str(error))}", soft_wrap=True)
        raise SystemExit(1) from None
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from None
    except (click.Abort, KeyboardInterrupt):
        console.print("stopped")
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
