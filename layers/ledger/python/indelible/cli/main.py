# SPDX-License-Identifier: Apache-2.0
"""The `indelible` command: results on stdout, messages on stderr. Each subcommand is imported only when it is run."""

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

SHORT_HELP = {
    "anchor": "Put all new records under signed checkpoints now.",
    "checkpoint": "Print the latest checkpoint and check its signature.",
    "doctor": "Report what is wrong with the deployed ledger, and what to do.",
    "export": "Export a range of a chain, with its proofs, to one file.",
    "hold": "Place, release and list legal holds.",
    "org": "Create, change and list organisations and their keys.",
    "rebuild": "Rebuild the table from the bucket.",
    "show": "Show one record: who, what, when, why.",
    "trace": "Show all records of one trace as a tree.",
    "upgrade-ots": "Complete pending OpenTimestamps proofs.",
    "verify": "Verify every record, their order and every signed root.",
}
"""For `indelible --help`, which imports no command."""
_DEBUG = "INDELIBLE_DEBUG"
_PACKAGE = Path(__file__).parent.parent
_MAX_MESSAGE = 300
_WRITE_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
"""Values of `OSError.errno` from writing output. The commands themselves report errors from reading evidence."""


class _Group(click.Group):
    """Imports commands on demand, and maps signals, write errors and bugs to exit statuses that are not verdicts."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, without importing anything."""
        del ctx
        return [*SHORT_HELP]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import `indelible.cli.NAME`, and return the command of the same name in it."""
        del ctx
        if cmd_name not in SHORT_HELP:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"indelible.cli.{name}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but suggest similar names from all commands, not only from the imported ones."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=SHORT_HELP, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from SHORT_HELP."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([*SHORT_HELP.items()])

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 -- click's own
        """Run the command; an unexpected exception ends it with one line and status 2, never with status 1."""
        try:
            with _output_checked():
                return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            click.echo("Interrupted.", err=True)
            raise SystemExit(128 + signal.SIGINT) from None
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            from indelible.cli.terminal import safe_text  # the message may quote a record

            details = traceback.format_exc() if os.environ.get(_DEBUG) else ""
            click.echo(safe_text(f"{details}{_internal_error(error)}"), err=True)
            raise SystemExit(COULD_NOT_CHECK) from None

    def main(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401 -- click's own
        """Parse the arguments, which may print help, and invoke the command."""
        with _sigterm_as_exit(), _output_checked():
            return super().main(*args, **extra)


@contextmanager
def _sigterm_as_exit() -> Iterator[None]:
    """SIGTERM raises SystemExit(143), so that worker processes and temporary files are cleaned up."""

    def end(*_: object) -> None:
        raise SystemExit(128 + signal.SIGTERM)

    if threading.current_thread() is not threading.main_thread():  # only the main thread may set signal handlers
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _output_checked() -> Iterator[None]:
    """Flush stdout, and fail if that fails: with status 141 when the reader has closed the pipe, otherwise with 2.

    Characters that the locale's encoding lacks are written as escapes.
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
        _discard_buffered()
        raise SystemExit(128 + signal.SIGPIPE) from None
    except OSError as error:
        if error.errno not in _WRITE_ERRORS:
            raise
        _discard_buffered()
        click.echo(f"Could not write {error.filename or 'to standard output'}: {error.strerror or error}", err=True)
        raise SystemExit(COULD_NOT_CHECK) from None


def _discard_buffered() -> None:
    """Redirect stdout to /dev/null: flushing its buffer at interpreter exit would fail again."""
    with suppress(OSError, ValueError):  # stdout may not be a file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _internal_error(error: Exception) -> str:
    """One line: the error, and the innermost line of this package in its traceback."""
    what = " ".join(f"{type(error).__name__}: {error}".split())
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _PACKAGE in Path(frame.filename).parents]
    where = f" at {Path(frames[-1].filename).relative_to(_PACKAGE)}:{frames[-1].lineno}" if frames else ""
    return (
        f"Internal error of indelible: {what[:_MAX_MESSAGE]}{where}. This says nothing about the evidence. "
        f"Set {_DEBUG}=1 for a traceback."
    )


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Indelible: an audit ledger for AI decisions that nobody can erase."""


if __name__ == "__main__":
    cli()
