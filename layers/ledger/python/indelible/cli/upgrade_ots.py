# SPDX-License-Identifier: Apache-2.0
"""`indelible upgrade-ots`: asks the calendars for the Bitcoin attestations of pending OpenTimestamps proofs."""

from __future__ import annotations

from pathlib import Path

import click

from indelible.audit.pending import PUBLIC_CALENDARS, Pending, complete, pending, proofs, single
from indelible.audit.source import NotEvidence, Source
from indelible.cli.atomic_file import atomic_file
from indelible.cli.options import org_option
from indelible.cli.sources import exit_on_failure, open_source
from indelible.cli.terminal import safe_text

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DIRECTORY = click.Path(file_okay=False, path_type=Path)


@click.command("upgrade-ots")
@click.argument("source", metavar="SOURCE")
@org_option
@click.option("--of", type=_FILE, help="The file that a single .ots file timestamps.")
@click.option(
    "--calendar",
    "calendars",
    metavar="URL",
    multiple=True,
    help="A further calendar to contact; repeatable.",
)
@click.option("-o", "--output", type=_DIRECTORY, default=Path(), help="Where to write.  [default: .]")
def upgrade_ots(source: str, org: str | None, of: Path | None, calendars: tuple[str, ...], output: Path) -> None:
    """Complete pending OpenTimestamps proofs.

    SOURCE is an evidence bundle, a directory copied from a bucket, or with --of a single .ots file. It is not changed:
    completed proofs are written below the output directory, those of a bundle or a directory under the names that they
    get in the bucket, for `indelible verify SOURCE --completed DIRECTORY`. Of the calendars that a proof names, only
    the well-known public ones and those given with --calendar are contacted. Proofs completed earlier are not
    requested again.

    Exit status: 0 all are completed, 1 some are still pending, 2 could not complete the proofs.
    """
    with exit_on_failure("complete the proofs"):
        waiting = [single(Path(source), of)] if of else _pending(source, org)
        new = [one for one in waiting if one.completed_below(output) is None]
        found = _complete_all(new, calendars, earlier=len(waiting) - len(new))
        for one, (height, proof) in found:
            path = output / one.completed_path(height)
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(path) as out:
                out.write(proof)
            click.echo(str(path))
    if len(found) < len(new):
        raise SystemExit(1)


def complete_from_calendars(source: Source) -> dict[str, bytes]:
    """The completed proofs that the calendars have, by the path of the pending proof. Needs a network."""
    return {one.path: proof for one, (_, proof) in _complete_all([*pending(source)])}


def _complete_all(
    waiting: list[Pending], calendars: tuple[str, ...] = (), *, earlier: int = 0
) -> list[tuple[Pending, tuple[int, bytes]]]:
    """The proofs that could be completed, each with its block's height. Reports the result on stderr."""
    allowed = (*PUBLIC_CALENDARS, *calendars)
    answers = [(one, complete(one, allowed, _print_error)) for one in waiting]
    completed = [(one, proof) for one, proof in answers if proof is not None]
    before = f", {earlier} earlier" if earlier else ""
    click.echo(f"{len(completed)} of {len(waiting)} pending proofs completed{before}.", err=True)
    return completed


def _pending(source: str, org: str | None) -> list[Pending]:
    if source.startswith("s3://"):
        raise NotEvidence("the ledger itself completes the proofs in the bucket; copy or export them first")
    if source.endswith(".ots"):
        raise NotEvidence(f"{source} is a single proof; name the file that it timestamps with --of")
    evidence = open_source(source, org=org, profile=None, endpoint_url=None)
    if not proofs(evidence):
        raise NotEvidence(f"{evidence.where} has no OpenTimestamps proofs")
    return [*pending(evidence)]


def _print_error(line: str) -> None:
    click.echo(safe_text(line), err=True)
