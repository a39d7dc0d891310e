# SPDX-License-Identifier: Apache-2.0
"""`indelible`: results on stdout, human words on stderr. A command is imported when it is asked for, and not before."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module

import click

from indelible import __version__


class _Commands(MutableMapping[str, click.Command]):
    """Commands by name; one that nobody asks for costs nothing at the start."""

    def __init__(self, places: dict[str, str]) -> None:
        self._places = places
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            module, _, attribute = self._places[name].partition(":")
            self._loaded[name] = getattr(import_module(f"indelible.cli.{module}"), attribute)
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._places[name], self._loaded[name] = "", command

    def __delitem__(self, name: str) -> None:
        del self._places[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


_COMMANDS = _Commands(
    {
        "anchor": "anchor:anchor",
        "checkpoint": "checkpoint:checkpoint",
        "doctor": "doctor:doctor",
        "export": "export:export",
        "org": "org:org",
        "rebuild": "rebuild:rebuild",
        "show": "show:show",
        "trace": "trace:trace",
        "upgrade-ots": "upgrade_ots:upgrade_ots",
        "verify": "verify:verify",
    }
)


@click.group(commands=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Indelible: an audit ledger for AI decisions that nobody can erase."""


if __name__ == "__main__":
    cli()
