# SPDX-License-Identifier: Apache-2.0
"""`indelible show`: one record as text."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.text import Text

from indelible.audit.lookup import Found, one
from indelible.cli.options import json_option, source_options
from indelible.cli.progress import records_bar
from indelible.cli.sources import exit_on_failure, open_source
from indelible.cli.terminal import Output, print_rows, safe_line, safe_text
from indelible.domain import instants, record

_HEADINGS = ("event_type", "level", "actor", "action", "target", "reason", "trace_id", "correlation_id", "occurred_at")


@click.command()
@source_options
@click.argument("named", metavar="SEQUENCE|AUDIT_ID|TX_HASH")
@json_option
def show(
    source: str, org: str | None, profile: str | None, endpoint_url: str | None, named: str, as_json: bool
) -> None:
    """Show one record: who did what to what, when and why, and where it is sealed.

    Finding a TX_HASH reads every record. The record is shown as it is stored, without verification; for that, run
    `indelible verify`.
    """
    with exit_on_failure("show"), records_bar("reading") as progress:
        found = one(open_source(source, org=org, profile=profile, endpoint_url=endpoint_url), named, progress)
    if as_json:
        click.echo(json.dumps(_as_json(found)))
    else:
        _print(found, Output())


def _as_json(found: Found) -> dict[str, object]:
    return {
        "record": json.loads(found.record.data),
        "tx_hash": found.record.tx_hash,
        "s3_key": found.stored.s3_key,
        "version_id": found.stored.version_id,
        "stored_sha256": found.stored.sha256,
        "shadowed_by": list(found.stored.shadows),
    }


def _print(found: Found, console: Console) -> None:
    entry, event = found.record, dict(found.event)
    facts: list[tuple[str, object]] = [
        ("record", f"{entry.sequence:,} of {entry.org_id}"),
        ("recorded", instants.to_text(entry.timestamp_ms)),
    ]
    for name in _HEADINGS:
        if name in event:
            facts.append(("why" if name == "reason" else name.replace("_", " "), event.pop(name)))
    facts += [
        ("audit_id", entry.audit_id),
        ("tx_hash", entry.tx_hash),
        ("follows", entry.prev_hash),
        ("kept until", f"{instants.to_text(entry.retain_until_ms)} ({entry.lock_mode})"),
        ("key", found.stored.s3_key),
        ("version", found.stored.version_id or "not shown by this source"),
    ]
    print_rows(console, facts, style="bold")
    for name, value in event.items():
        console.print()
        console.print(safe_line(name.replace("_", " "), style="bold"))
        console.print(Text(safe_text(json.dumps(value, indent=2, ensure_ascii=False))))
    if found.stored.sha256 not in (None, record.tx_hash(entry.data)):
        console.print("\n[red]The bytes do not match the checksum stored with them; run indelible verify.[/]")
