# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import click

from indelible.domain import instants
from indelible.services.ranges import Range

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
ledger_option = click.option(
    "--ledger", default="indelible", show_default=True, envvar="INDELIBLE_LEDGER", help="The ledger's name."
)
org_option = click.option("--org", metavar="NAME", help="The organisation, if the source has several.")
key_option = click.option(
    "--key", metavar="KEY", help="The ledger's public key that you pinned: verifier key, PEM, or a file with one."
)


def _check_url(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    del ctx, param
    parts = urlsplit(value or "http://unset")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.BadParameter(f"{value!r} is not a URL such as https://s3.eu-central-1.amazonaws.com")
    return value


_SOURCE = (
    click.argument("source", metavar="SOURCE"),
    org_option,
    click.option("--profile", metavar="NAME", help="A profile of your AWS configuration."),
    click.option("--endpoint-url", metavar="URL", callback=_check_url, help="An S3 endpoint other than that of AWS."),
)
_RANGE = (
    click.option("--start", type=click.IntRange(min=1), help="The first sequence."),
    click.option("--end", type=click.IntRange(min=1), help="The last sequence."),
    click.option("--from", "from_", metavar="TIME", help="Not before this instant (RFC 3339)."),
    click.option("--to", metavar="TIME", help="Not after this instant (RFC 3339)."),
)


def source_options(command: Callable[..., None]) -> Callable[..., None]:
    """SOURCE, --org, --profile and --endpoint-url: the arguments of `open_source`."""
    for decorate in reversed(_SOURCE):
        command = decorate(command)
    return command


def range_options(command: Callable[..., None]) -> Callable[..., None]:
    """--start, --end, --from and --to: the arguments of `parse_range`."""
    for decorate in reversed(_RANGE):
        command = decorate(command)
    return command


def parse_range(start: int | None, end: int | None, from_: str | None, to: str | None) -> Range:
    """The range that these options ask for. Raises click.UsageError if it ends before it begins."""
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
