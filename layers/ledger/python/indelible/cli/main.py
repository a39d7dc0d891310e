# SPDX-License-Identifier: Apache-2.0
"""`indelible`: results on stdout, human words on stderr. A command is imported when it is asked for, and not before."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from indelible import __version__
from indelible.cli import COULD_NOT_CHECK

#: What each is for, for the list of all: nothing needs to be imported to print that.
SHORT_HELP = {
    "anchor": "Put all new records under signed checkpoints now.",
    "checkpoint": "Print the latest checkpoint and say who signed it.",
    "doctor": "Say what is wrong with the deployed ledger, and what to do.",
    "export": "Pack a range of a chain, and what proves it, into one file.",
    "hold": "Place, release and list legal holds.",
    "org": "Create, change and list organisations and their keys.",
    "rebuild": "Rebuild the table from the bucket.",
    "show": "Show one record: who, what, when, why.",
    "trace": "Show the whole history of one trace as a tree.",
    "upgrade-ots": "Complete pending OpenTimestamps proofs.",
    "verify": "Check every record, their order, every signed root.",
}
_DEBUG = "INDELIBLE_DEBUG"
_HERE = Path(__file__).parent.parent
_MOST_SHOWN = 300
_WRITING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
"""What the writing of an answer can end with. Errors about evidence the commands explain themselves."""


class _Group(click.Group):
    """A command is imported when it is asked for. Whatever ends one from outside has an exit status of its own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        del ctx
        return [*SHORT_HELP]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of the module that is called as it is."""
        del ctx
        if cmd_name not in SHORT_HELP:
            return None
        place = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"indelible.cli.{place}"), place)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, which looks for names like the one that was given among the loaded commands only."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=SHORT_HELP, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of all."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([*SHORT_HELP.items()])

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 -- click's own
        """Run the command."""
        try:
            with _written():
                return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            click.echo("Interrupted.", err=True)
            raise SystemExit(128 + signal.SIGINT) from None
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            from indelible.cli.plain import spelled_out  # what others wrote may be in it

            shown = traceback.format_exc() if os.environ.get(_DEBUG) else ""
            click.echo(spelled_out(f"{shown}{_fault(error)}"), err=True)
            raise SystemExit(COULD_NOT_CHECK) from None

    def main(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401 -- click's own
        """Parse, which may print help, and invoke."""
        with _ended_in_order(), _written():
            return super().main(*args, **extra)


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """SIGTERM leaves neither workers nor half a file: a shell's 143."""

    def end(*_: object) -> None:
        raise SystemExit(128 + signal.SIGTERM)

    if threading.current_thread() is not threading.main_thread():  # there signals are nobody's to take
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _written() -> Iterator[None]:
    """Whatever is printed reaches stdout, or the command has not succeeded: a reader that left is a shell's 141.

    What the locale's encoding has no character for is written as an escape.
    """
    if sys.stdout is None:
        click.echo("Could not write to standard output: it is closed", err=True)
        raise SystemExit(COULD_NOT_CHECK)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard_the_rest()
        raise SystemExit(128 + signal.SIGPIPE) from None
    except OSError as error:
        if error.errno not in _WRITING:
            raise
        _discard_the_rest()
        click.echo(f"Could not write {error.filename or 'to standard output'}: {error.strerror or error}", err=True)
        raise SystemExit(COULD_NOT_CHECK) from None


def _discard_the_rest() -> None:
    """What is still buffered would fail once more when the interpreter ends."""
    with suppress(OSError, ValueError):  # a stdout that is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fault(error: Exception) -> str:
    """One line: what it is, and the last place in this program that it came through."""
    what = " ".join(f"{type(error).__name__}: {error}".split())
    places = [frame for frame in traceback.extract_tb(error.__traceback__) if _HERE in Path(frame.filename).parents]
    where = f" at {Path(places[-1].filename).relative_to(_HERE)}:{places[-1].lineno}" if places else ""
    return (
        f"A fault of indelible itself: {what[:_MOST_SHOWN]}{where}. Nothing is said about the evidence. "
        f"{_DEBUG}=1 shows how it came to that."
    )


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Indelible: an audit ledger for AI decisions that nobody can erase."""


if __name__ == "__main__":
    cli()
