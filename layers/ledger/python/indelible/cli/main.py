# SPDX-License-Identifier: Apache-2.0
"""`indelible`: results on stdout, human words on stderr."""

from __future__ import annotations

import click

from indelible import __version__
from indelible.cli.anchor import anchor
from indelible.cli.org import org
from indelible.cli.rebuild import rebuild


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def cli() -> None:
    """Indelible: an audit ledger for AI decisions that nobody can erase."""


cli.add_command(anchor)
cli.add_command(org)
cli.add_command(rebuild)


if __name__ == "__main__":
    cli()
