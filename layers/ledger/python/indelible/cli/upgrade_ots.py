# SPDX-License-Identifier: Apache-2.0
"""`indelible upgrade-ots`: ask the calendars whether Bitcoin has what they promised, and keep what they answer."""

from __future__ import annotations

from pathlib import Path

import click

from indelible.audit.pending import PUBLIC_CALENDARS, Pending, complete, pending, proofs, single
from indelible.audit.source import NotEvidence, Source
from indelible.cli.plain import spelled_out
from indelible.cli.sources import opened, or_could_not, org_option
from indelible.cli.whole_file import whole_file

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DIRECTORY = click.Path(file_okay=False, path_type=Path)


@click.command("upgrade-ots")
@click.argument("source")
@org_option
@click.option("--of", type=_FILE, help="What a single .ots file is for.")
@click.option("--calendar", "calendars", metavar="URL", multiple=True, help="This one may be asked too; repeatable.")
@click.option("-o", "--output", type=_DIRECTORY, default=Path(), help="Where to write; here by default.")
def upgrade_ots(source: str, org: str | None, of: Path | None, calendars: tuple[str, ...], output: Path) -> None:
    """Complete pending OpenTimestamps proofs.

    SOURCE is an evidence bundle, a copied directory, or a single .ots file with --of. It is not changed: completed
    proofs are written below the output directory, those of a bundle or a copy under the names that the bucket gives
    them, and `indelible verify SOURCE --completed DIRECTORY` takes these from there. Contacts the well-known public
    calendars and those that you name, where a proof names them, and nobody else. What is there already is not asked for
    again.

    Exit status: 0 all are completed, 1 some are pending still, 2 could not be done.
    """
    with or_could_not("complete the proofs"):
        waiting = [single(Path(source), of)] if of else _of(source, org)
        new = [one for one in waiting if one.completed_below(output) is None]
        found = completed(new, calendars, before=len(waiting) - len(new))
        for one, (height, proof) in found:
            path = output / one.completed_path(height)
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as out:
                out.write(proof)
            click.echo(str(path))
    if len(found) < len(new):
        raise SystemExit(1)


def completed(
    waiting: list[Pending], calendars: tuple[str, ...] = (), *, before: int = 0
) -> list[tuple[Pending, tuple[int, bytes]]]:
    """Those that a calendar had, with the block's height and the proof; what came of it is said on stderr."""
    allowed = (*PUBLIC_CALENDARS, *calendars)
    found = [(one, complete(one, allowed, _say)) for one in waiting]
    done = [(one, proof) for one, proof in found if proof is not None]
    earlier = f", {before} earlier" if before else ""
    click.echo(f"{len(done)} of {len(waiting)} pending proofs completed{earlier}.", err=True)
    return done


def in_hand(source: Source) -> dict[str, bytes]:
    """The completed proofs of a source's pending ones, by the path of the latter."""
    return {one.path: proof for one, (_, proof) in completed([*pending(source)])}


def _of(source: str, org: str | None) -> list[Pending]:
    if source.startswith("s3://"):
        raise NotEvidence("the ledger completes proofs in the bucket itself; copy or export them first")
    if source.endswith(".ots"):
        raise NotEvidence(f"{source} is a proof by itself: say with --of which file it is for")
    evidence = opened(source, org=org, profile=None, endpoint_url=None)
    if not proofs(evidence):
        raise NotEvidence(f"{evidence.where} has no OpenTimestamps proofs")
    return [*pending(evidence)]


def _say(line: str) -> None:
    click.echo(spelled_out(line), err=True)
