# SPDX-License-Identifier: Apache-2.0
"""What several commands share: how a deployed ledger is named and reached."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import click

from indelible.cli.failures import in_words

ledger_option = click.option(
    "--ledger", default="indelible", show_default=True, envvar="INDELIBLE_LEDGER", help="The ledger's name."
)


@contextmanager
def deployed() -> Iterator[ModuleType]:
    """`entry.operator`, which knows how a deployed ledger is reached; what goes wrong becomes one clear line."""
    try:
        from indelible.entry import operator
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"{error.name} is needed here: pip install '.[s3]' in a checkout of indelible"
        ) from None
    try:
        yield operator
    except Exception as error:
        words = in_words(error)
        if words is None:
            raise
        raise click.ClickException(words) from None
