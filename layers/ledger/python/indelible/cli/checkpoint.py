# SPDX-License-Identifier: Apache-2.0
"""`indelible checkpoint`: prints a checkpoint and checks its signature."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import click

from indelible.audit.keys import Pinned, key_ring, pinned_key
from indelible.audit.source import NotEvidence, Source
from indelible.cli.options import json_option, key_option, source_options
from indelible.cli.sources import exit_on_failure, open_source
from indelible.cli.terminal import safe_text
from indelible.domain import note as notes
from indelible.domain.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from indelible.domain.keyring import KeyRing
from indelible.domain.note import Note, NoteError
from indelible.services.log import LEDGER, checkpoint_path

_MAX_BYTES = 1_000_000


@click.command()
@source_options
@key_option
@click.option(
    "--record",
    "sequence",
    type=click.IntRange(min=1),
    help="The first checkpoint that covers this record, not the latest.",
)
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
    """Print the latest checkpoint and check its signature.

    SOURCE is a file with a checkpoint or a proof, or any source of `indelible verify`. Only the signature is checked,
    and only with --key; whether the records match the root is checked by `indelible verify`.

    Exit status: 0; with --key 1 if neither that key signed the checkpoint, nor one that SOURCE's key statements lead to
    from it; 2 could not check.
    """
    with exit_on_failure("check"):
        pinned = None if key is None else pinned_key(key)
        data = _read_file(source)
        evidence = None if data else open_source(source, org=org, profile=profile, endpoint_url=endpoint_url)
        if evidence is None and sequence is not None:
            raise NotEvidence(f"{source} is a single checkpoint; --record needs a bucket, a directory or a bundle")
        size = None
        if evidence is not None:
            size, data = first_covering(evidence, sequence)
        try:
            note = notes.parse_note(data)
            found = parse_checkpoint(note.text)
        except NoteError as error:
            raise NotEvidence(f"{source}: {error}") from None
        if evidence is not None and (found.size != size or not _is_log_of(evidence.org_id, found)):
            raise NotEvidence(
                f"{source}: the file of its checkpoint {size} has that of {found.origin}, size {found.size}"
            )
        signed = None if pinned is None else _signed(note, found, pinned, evidence)
    if as_json:
        click.echo(json.dumps(_as_json(note, found, signed)))
    else:
        click.echo(safe_text(data), nl=False)
        click.echo(_message(signed), err=True)
    if signed is False:
        raise SystemExit(1)


def first_covering(source: Source, sequence: int | None) -> tuple[int, bytes]:
    """Size and note of the first checkpoint that covers the record, or of the latest one for None.

    As their paths say: nothing in the note is checked. Raises NotEvidence.
    """
    sizes = source.sizes(source.org_id, at_least=sequence or 1)
    size = next(sizes, None) if sequence else max(sizes, default=None)
    note = None if size is None else source.read(source.org_id, checkpoint_path(size))
    if size is None or note is None:
        covers = f"that covers record {sequence}" if sequence else "of this organisation"
        raise NotEvidence(f"{source.where} has no checkpoint {covers}")
    return size, note


def _read_file(source: str) -> bytes:
    """The checkpoint in a file, or the one at the end of a tlog-proof file; empty for any other kind of source."""
    path = Path(source)
    if source.startswith("s3://") or not path.is_file():
        return b""
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if data.startswith(b"PK"):
        return b""
    return data.partition(b"\n\n")[2] if data.startswith(b"c2sp.org/tlog-proof@v1\n") else data


def _is_log_of(org_id: str, found: Checkpoint) -> bool:
    """Whether it is a checkpoint of this organisation's log, or of the ledger's own, of whatever ledger."""
    _, slash, owner = found.origin.partition("/")
    return (owner == org_id) if slash else (org_id == LEDGER)


def _signed(note: Note, found: Checkpoint, pinned: Pinned, evidence: Source | None) -> bool:
    """Whether the pinned key signed it, or one that the evidence's key statements lead to from there."""
    name = pinned.name or found.origin.partition("/")[0]
    ring = KeyRing.of_one(name, pinned.public_key) if evidence is None else key_ring(evidence, pinned, name)[0]
    try:
        verify_checkpoint(note, origin=found.origin, public_keys=ring.public_keys)
    except (NoteError, ValueError):
        return False
    return found.origin.partition("/")[0] == name


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


def _message(signed: bool | None) -> str:
    if signed is None:
        return "Not checked: no --key was given."
    if signed:
        return "Signed by the pinned key, or by one that the key statements lead to from it."
    return (
        "NOT SIGNED by the pinned key, nor by one that the source's key statements lead to from it. "
        "(A single file has no key statements. If the ledger has rotated its key, name the bucket or a bundle.)"
    )
