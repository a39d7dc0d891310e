# SPDX-License-Identifier: Apache-2.0
"""`indelible org`: manages organisations and their keys, with the operator's own AWS credentials."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from indelible.cli.deployment import deployed
from indelible.cli.options import json_option, ledger_option
from indelible.cli.terminal import counted, print_table, safe_line, safe_text

if TYPE_CHECKING:
    from indelible.domain.organisation import OrgConfig
    from indelible.services.registry import NewKey, Registry, Usage

_name = click.argument("name")
_principal = click.option(
    "--principal",
    required=True,
    metavar="ARN",
    help="An IAM user or role, or a session of a role.",
)


def _common(command: Callable[..., None]) -> Callable[..., None]:
    return ledger_option(json_option(command))


@click.group()
def org() -> None:
    """Create, change and list organisations and their keys.

    Uses the AWS credentials, region and endpoint of the usual environment variables (AWS_PROFILE, AWS_REGION,
    AWS_ENDPOINT_URL, …) and finds the ledger by its CloudFormation stack.
    """


@org.command()
@_name
@click.option("--retention-days", type=int, help="Keep its records for this long, instead of the ledger's default.")
@_common
def create(name: str, retention_days: int | None, ledger: str, as_json: bool) -> None:
    """Register the organisation NAME and print its first key.

    The key's secret is shown only this once.
    """
    with _registry(ledger) as registry:
        _show_key(registry.create(name, retention_days=retention_days), as_json)


@org.command()
@_name
@click.argument("retention_days", type=int)
@_common
def keep(name: str, retention_days: int, ledger: str, as_json: bool) -> None:
    """Lengthen the retention of new records of NAME to RETENTION_DAYS.

    It can never be shortened.
    """
    with _registry(ledger) as registry:
        config = registry.extend_retention(name, retention_days)
    if as_json:
        click.echo(json.dumps(_config_json(config)))
    else:
        days = counted(retention_days, "day")
        click.echo(f"{name}: within a minute, new records are kept for {days}", err=True)


@org.command()
@_name
@_common
def rotate(name: str, ledger: str, as_json: bool) -> None:
    """Give NAME a new key and print it.

    Older keys keep working until `indelible org disable NAME --key KEY_ID`.
    """
    with _registry(ledger) as registry:
        _show_key(registry.rotate(name), as_json)


@org.command()
@_name
@click.option("--key", "key_id", help="Disable only this key.")
@_common
def disable(name: str, key_id: str | None, ledger: str, as_json: bool) -> None:
    """Disable NAME, or one of its keys.

    It takes effect within a minute. Existing records are kept.
    """
    with _registry(ledger) as registry:
        config = registry.disable(name, key_id)
    if as_json:
        click.echo(json.dumps(_config_json(config)))
    else:
        click.echo(f"{name}: {f'key {key_id}' if key_id else 'the organisation'} is disabled", err=True)


@org.command()
@_name
@_principal
@_common
def allow(name: str, principal: str, ledger: str, as_json: bool) -> None:
    """Let an AWS identity act for NAME.

    It takes effect within a minute. For ledgers deployed with auth=iam.
    """
    with _registry(ledger) as registry:
        _show_principals(registry.allow(name, principal), as_json)


@org.command()
@_name
@_principal
@_common
def deny(name: str, principal: str, ledger: str, as_json: bool) -> None:
    """No longer let an AWS identity act for NAME.

    It takes effect within a minute. For ledgers deployed with auth=iam.
    """
    with _registry(ledger) as registry:
        _show_principals(registry.deny(name, principal), as_json)


@org.command("list")
@_common
def list_(ledger: str, as_json: bool) -> None:
    """List organisations, their active keys and record counts.

    `_admin` is the ledger's own organisation, in which `indelible org` and `indelible hold` record what they do.

    Exit status: 0; 1 if the table's items of an organisation are damaged, which are reported on standard error.
    """
    from indelible.services.registry import Damaged

    with _registry(ledger) as registry:
        found = registry.usage()
        damaged = [one for one in found if isinstance(one, Damaged)]
        listed = [one for one in found if not isinstance(one, Damaged)]
    if as_json:
        click.echo(json.dumps({"organisations": [*map(_usage_json, listed)], "damaged": [*map(asdict, damaged)]}))
    else:
        print_table(_table(listed))
    for one in damaged:
        message = f"Error: {one.org_id}: {one.message}: indelible rebuild --org {one.org_id}"
        click.echo(safe_text(message), err=True)
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
    click.echo("Store the secret now: it is not shown again.", err=True)


def _show_principals(config: OrgConfig, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_config_json(config)))
    else:
        click.echo(f"{config.org_id}: allowed AWS identities: {', '.join(config.principals) or 'none'}", err=True)


def _table(found: Sequence[Usage]) -> Table:
    table = Table("organisation", "active keys", "records", "anchored", "last recorded", "anchored until", "state")
    for used in found:
        config = used.config
        table.add_row(
            safe_line(config.org_id),
            safe_line(", ".join(key.key_id for key in config.active_keys()) or "none"),
            f"{used.records:,}",
            f"{used.anchored:,}",
            used.last_recorded_at or "never",
            used.anchored_until or "never",
            "disabled" if config.disabled_at else "active",
        )
    return table


def _usage_json(used: Usage) -> dict[str, Any]:
    counts = {"records": used.records, "anchored": used.anchored, "last_recorded_at": used.last_recorded_at}
    return _config_json(used.config) | counts


def _config_json(config: OrgConfig) -> dict[str, Any]:
    return {
        "org_id": config.org_id,
        "created_at": config.created_at,
        "disabled_at": config.disabled_at,
        "retention_days": config.retention_days,
        "keys": [asdict(key) for key in config.keys],
        "principals": list(config.principals),
    }
