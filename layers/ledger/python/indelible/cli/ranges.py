# SPDX-License-Identifier: Apache-2.0
"""Which part of a chain: the options that several commands share."""

from __future__ import annotations

from collections.abc import Callable

import click

from indelible.domain import instants
from indelible.services.ranges import Range

_OPTIONS = (
    click.option("--start", type=click.IntRange(min=1), help="The first sequence."),
    click.option("--end", type=click.IntRange(min=1), help="The last sequence."),
    click.option("--from", "from_", metavar="TIME", help="Not before this instant (RFC 3339)."),
    click.option("--to", metavar="TIME", help="Not after this instant (RFC 3339)."),
)


def range_options(command: Callable[..., None]) -> Callable[..., None]:
    """--start, --end, --from and --to."""
    for decorate in reversed(_OPTIONS):
        command = decorate(command)
    return command


def within(start: int | None, end: int | None, from_: str | None, to: str | None) -> Range:
    """What they ask for. Raises click.UsageError where an end comes before its beginning."""
    if start is not None and end is not None and start > end:
        raise click.UsageError("--end is before --start")
    from_ms, to_ms = _instant("--from", from_), _instant("--to", to)
    if from_ms is not None and to_ms is not None and from_ms > to_ms:
        raise click.UsageError("--to is before --from")
    return Range(start_seq=start, end_seq=end, from_ms=from_ms, to_ms=to_ms)


def _instant(option: str, text: str | None) -> int | None:
    try:
        return None if text is None else instants.from_text(text)
    except ValueError as error:
        raise click.UsageError(f"{option}: {error}") from None
