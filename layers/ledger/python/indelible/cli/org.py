# SPDX-License-Identifier: Apache-2.0
"""`indelible org`: organisations and their keys, with the deployer's own AWS credentials."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from indelible.cli.common import deployed, ledger_option
from indelible.cli.plain import plain, print_table, spelled_out

if TYPE_CHECKING:
    from indelible.domain.organisation import OrgConfig
    from indelible.services.registry import NewKey, Registry, Usage

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
_name = click.argument("name")
_principal = click.option("--principal", required=True, metavar="ARN", help="An IAM role or user; a session's role.")


def _common(command: Callable[..., None]) -> Callable[..., None]:
    return ledger_option(_json(command))


@click.group()
def org() -> None:
    """Create, rotate, keep, disable, allow, deny and list organisations.

    Uses the AWS credentials, region and endpoint of the usual environment variables (AWS_PROFILE, AWS_REGION,
    AWS_ENDPOINT_URL, …) and finds the ledger by its CloudFormation stack.
    """


@org.command()
@_name
@click.option("--retention-days", type=int, help="Keep its records longer than the ledger's default.")
@_common
def create(name: str, retention_days: int | None, ledger: str, as_json: bool) -> None:
    """Register the organisation NAME and print its first key. The secret is shown this once."""
    with _registry(ledger) as registry:
        _show_key(registry.create(name, retention_days=retention_days), as_json)


@org.command()
@_name
@click.argument("retention_days", type=int)
@_common
def keep(name: str, retention_days: int, ledger: str, as_json: bool) -> None:
    """Keep the new records of NAME for RETENTION_DAYS: longer than now, never shorter."""
    with _registry(ledger) as registry:
        config = registry.keep(name, retention_days)
    if as_json:
        click.echo(json.dumps(_described(config)))
    else:
        days = f"{retention_days:,} day{'' if retention_days == 1 else 's'}"
        click.echo(f"{name}: new records are kept for {days}, within a minute", err=True)


@org.command()
@_name
@_common
def rotate(name: str, ledger: str, as_json: bool) -> None:
    """Give NAME a new key. Older keys keep working until `indelible org disable NAME --key KEY_ID`."""
    with _registry(ledger) as registry:
        _show_key(registry.rotate(name), as_json)


@org.command()
@_name
@click.option("--key", "key_id", help="Disable only this key.")
@_common
def disable(name: str, key_id: str | None, ledger: str, as_json: bool) -> None:
    """Disable NAME, or one of its keys. Its records stay for ever; nothing new is accepted within a minute."""
    with _registry(ledger) as registry:
        config = registry.disable(name, key_id)
    if as_json:
        click.echo(json.dumps(_described(config)))
    else:
        click.echo(f"{name}: {'key ' + key_id if key_id else 'the organisation'} is disabled", err=True)


@org.command()
@_name
@_principal
@_common
def allow(name: str, principal: str, ledger: str, as_json: bool) -> None:
    """Let an AWS identity act for NAME, within a minute. For ledgers deployed with auth=iam."""
    with _registry(ledger) as registry:
        _show_principals(registry.allow(name, principal), as_json)


@org.command()
@_name
@_principal
@_common
def deny(name: str, principal: str, ledger: str, as_json: bool) -> None:
    """Take that back, within a minute."""
    with _registry(ledger) as registry:
        _show_principals(registry.deny(name, principal), as_json)


@org.command("list")
@_common
def list_(ledger: str, as_json: bool) -> None:
    """List the organisations, their active keys and how much they have recorded.

    `_admin` is the ledger's own: what this command does is recorded there. Exit status 1 when the table's items of an
    organisation are damaged: standard error names it, and the others are listed.
    """
    from indelible.services.registry import Damaged

    with _registry(ledger) as registry:
        found = registry.usage()
        damaged = [one for one in found if isinstance(one, Damaged)]
        listed = [one for one in found if not isinstance(one, Damaged)]
    if as_json:
        click.echo(json.dumps({"organisations": [*map(_counted, listed)], "damaged": [*map(asdict, damaged)]}))
    else:
        print_table(_table(listed))
    for one in damaged:
        words = f"Error: {one.org_id}: {one.message}: indelible rebuild --org {one.org_id}"
        click.echo(spelled_out(words), err=True)
    if damaged:
        raise SystemExit(1)


@contextmanager
def _registry(ledger: str) -> Iterator[Registry]:
    """The registry of a deployed ledger."""
    with deployed() as operator:
        yield operator.registry(ledger)


def _show_key(key: NewKey, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(key)))
        return
    for name, value in asdict(key).items():
        click.echo(f"{name}: {value}")
    click.echo("Keep the secret now: it is not shown again.", err=True)


def _show_principals(config: OrgConfig, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_described(config)))
    else:
        click.echo(f"{config.org_id}: allowed for {', '.join(config.principals) or 'no AWS identity'}", err=True)


def _table(found: Sequence[Usage]) -> Table:
    table = Table("organisation", "active keys", "records", "anchored", "last recorded", "anchored until", "state")
    for used in found:
        config = used.config
        table.add_row(
            plain(config.org_id),
            plain(", ".join(key.key_id for key in config.active_keys()) or "none"),
            f"{used.records:,}",
            f"{used.anchored:,}",
            used.last_recorded_at or "never",
            used.anchored_until or "never",
            "disabled" if config.disabled_at else "active",
        )
    return table


def _counted(used: Usage) -> dict[str, Any]:
    counts = {"records": used.records, "anchored": used.anchored, "last_recorded_at": used.last_recorded_at}
    return _described(used.config) | counts


def _described(config: OrgConfig) -> dict[str, Any]:
    return {
        "org_id": config.org_id,
        "created_at": config.created_at,
        "disabled_at": config.disabled_at,
        "retention_days": config.retention_days,
        "keys": [asdict(key) for key in config.keys],
        "principals": list(config.principals),
    }
