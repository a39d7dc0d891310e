# SPDX-License-Identifier: Apache-2.0
"""`indelible checkpoint`: what a log has signed, printed and checked."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import click

from indelible.audit.keys import Pinned, pinned_key
from indelible.audit.source import NotEvidence, Source
from indelible.cli.sources import json_option, key_option, opened, or_could_not_check, with_source
from indelible.domain import note as notes
from indelible.domain.checkpoint import Checkpoint, parse_checkpoint
from indelible.domain.note import Note, NoteError, VerifierKey
from indelible.services.log import checkpoint_path

_MOST = 1_000_000


@click.command()
@with_source
@key_option
@click.option("--record", "sequence", type=click.IntRange(min=1), help="The first checkpoint that covers this record.")
@json_option
def checkpoint(
    source: str,
    org: str | None,
    profile: str | None,
    endpoint_url: str | None,
    key: str | None,
    sequence: int | None,
    as_json: bool,
) -> None:
    """Print the latest checkpoint and say who signed it.

    SOURCE is a checkpoint in a file, or whatever `indelible verify` takes. With --key: exit status 1 unless the ledger
    signed it. This checks the signature; that the records lead to the root is for `indelible verify`.
    """
    with or_could_not_check():
        pinned = pinned_key(key) if key else None
        data = _note(source, org, profile, endpoint_url, sequence)
        try:
            note = notes.parse_note(data)
            found = parse_checkpoint(note.text)
        except NoteError as error:
            raise NotEvidence(f"{source}: {error}") from None
    signed = None if pinned is None else _signed(note, found, pinned)
    if as_json:
        click.echo(json.dumps(_as_json(note, found, signed)))
    else:
        click.echo(data.decode(), nl=False)
        click.echo(_words(signed), err=True)
    if signed is False:
        raise SystemExit(1)


def first_covering(source: Source, sequence: int | None) -> bytes:
    """The note of the first checkpoint that covers the record, or of the last one. Raises NotEvidence."""
    sizes = source.sizes(source.org_id, at_least=sequence or 1)
    size = next(sizes, None) if sequence else max(sizes, default=None)
    note = None if size is None else source.read(source.org_id, checkpoint_path(size))
    if note is None:
        covers = f"that covers record {sequence}" if sequence else "of this organisation"
        raise NotEvidence(f"{source.where} has no checkpoint {covers}")
    return note


def _note(source: str, org: str | None, profile: str | None, endpoint_url: str | None, sequence: int | None) -> bytes:
    path = Path(source)
    if not source.startswith("s3://") and path.is_file():
        with path.open("rb") as file:
            data = file.read(_MOST + 1)
        if not data.startswith(b"PK"):
            return data.partition(b"\n\n")[2] if data.startswith(b"c2sp.org/tlog-proof@v1\n") else data
    return first_covering(opened(source, org=org, profile=profile, endpoint_url=endpoint_url), sequence)


def _signed(note: Note, found: Checkpoint, pinned: Pinned) -> bool:
    try:
        notes.verify(note, [VerifierKey(found.origin, pinned.public_key)])
    except (NoteError, ValueError):
        return False
    return pinned.name is None or found.origin.partition("/")[0] == pinned.name


def _as_json(note: Note, found: Checkpoint, signed: bool | None) -> dict[str, Any]:
    return {
        "origin": found.origin,
        "tree_size": found.size,
        "root_hash": found.root.hex(),
        "signed": signed,
        "signatures": [
            {"name": line.name, "key_id": line.key_id.hex(), "signature": base64.b64encode(line.signature).decode()}
            for line in note.signatures
        ],
    }


def _words(signed: bool | None) -> str:
    if signed is None:
        return "Not checked: no --key was given."
    return "Signed by the key that you have pinned." if signed else "NOT SIGNED by the key that you have pinned."
