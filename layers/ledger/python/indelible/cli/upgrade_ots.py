# SPDX-License-Identifier: Apache-2.0
"""`indelible upgrade-ots`: ask the calendars whether Bitcoin has what they promised, and keep what they answer."""

from __future__ import annotations

from pathlib import Path

import click

from indelible.audit.pending import PUBLIC_CALENDARS, Pending, complete, pending, single
from indelible.audit.source import NotEvidence, Source
from indelible.cli.sources import opened, or_could_not_check

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DIRECTORY = click.Path(file_okay=False, path_type=Path)


@click.command("upgrade-ots")
@click.argument("source")
@click.option("--of", type=_FILE, help="What a single .ots file is for.")
@click.option("--calendar", "calendars", metavar="URL", multiple=True, help="This one may be asked too; repeatable.")
@click.option("-o", "--output", type=_DIRECTORY, default=Path(), help="Where to write; here by default.")
def upgrade_ots(source: str, of: Path | None, calendars: tuple[str, ...], output: Path) -> None:
    """Complete pending OpenTimestamps proofs.

    SOURCE is an evidence bundle, a copied directory, or a single .ots file with --of. It is not changed: completed
    proofs are written below the output directory, under the names that the bucket gives them. Contacts the well-known
    public calendars and those that you name, where a proof names them, and nobody else.
    """
    with or_could_not_check():
        waiting = [single(Path(source).name, Path(source).read_bytes(), of.read_bytes())] if of else _of(source)
        found = completed(waiting, calendars)
        for one, (height, proof) in found:
            path = output / one.completed_path(height)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(proof)
            click.echo(str(path))


def completed(waiting: list[Pending], calendars: tuple[str, ...] = ()) -> list[tuple[Pending, tuple[int, bytes]]]:
    """Those that a calendar had, with the block's height and the proof; what came of it is said on stderr."""
    allowed = (*PUBLIC_CALENDARS, *calendars)
    found = [(one, complete(one, allowed, lambda said: click.echo(said, err=True))) for one in waiting]
    done = [(one, proof) for one, proof in found if proof is not None]
    click.echo(f"{len(done)} of {len(waiting)} pending proofs completed.", err=True)
    return done


def in_hand(source: Source) -> dict[str, bytes]:
    """The completed proofs of a source's pending ones, by the path of the latter."""
    return {one.path: proof for one, (_, proof) in completed([*pending(source)])}


def _of(source: str) -> list[Pending]:
    if source.startswith("s3://"):
        raise NotEvidence("the ledger completes proofs in the bucket itself; copy or export them first")
    return [*pending(opened(source, org=None, profile=None, endpoint_url=None))]
