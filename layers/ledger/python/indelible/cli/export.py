# SPDX-License-Identifier: Apache-2.0
"""`indelible export`: a range of a chain into one file, as evidence or as a view of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from indelible.audit.bundle import BundleSource
from indelible.audit.keys import Pinned, key_ring, ledger_name, pinned_key
from indelible.audit.source import NotEvidence, Source
from indelible.audit.verify import Asked, audit
from indelible.audit.written import WrittenBundle
from indelible.cli.plain import plain
from indelible.cli.progress import records_bar
from indelible.cli.ranges import range_options, within
from indelible.cli.sources import key_option, opened, or_could_not, with_source
from indelible.cli.whole_file import refuse_others, whole_file
from indelible.domain.anchors import DIRECTORY, AnchorFile, parse_anchor_path
from indelible.domain.bundle import Manifest
from indelible.domain.export_job import BUNDLE
from indelible.entry.machine import SystemClock, TemporaryFiles
from indelible.services.export import Bundle, Exporter
from indelible.services.log import LEDGER, LogReader
from indelible.services.offline import NoLog
from indelible.services.ranges import Range
from indelible.views import formats, parquet
from indelible.views.source import NotInstalled

VIEWS = {**formats.VIEWS, "parquet": formats.of_records(parquet.write)}
_PIECE = 1024 * 1024
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@with_source
@key_option
@range_options
@click.option("-o", "--output", type=_FILE, required=True, help="The file to write.")
@click.option("--force", is_flag=True, help="Replace it when it exists.")
@click.option(
    "--format",
    "form",
    type=click.Choice([BUNDLE, *VIEWS]),
    default=BUNDLE,
    show_default=True,
    help="bundle proves itself; the others are for reading, and say which bundle proves them.",
)
@click.option("--ledger", envvar="INDELIBLE_LEDGER", help="The ledger's name, where no checkpoint says it.")
def export(
    source: str,
    org: str | None,
    profile: str | None,
    endpoint_url: str | None,
    key: str | None,
    start: int | None,
    end: int | None,
    from_: str | None,
    to: str | None,
    output: Path,
    force: bool,
    form: str,
    ledger: str | None,
) -> None:
    """Pack a range of a chain, and what proves it, into one file.

    SOURCE is s3://BUCKET/ORGANISATION, or a directory that was copied from there; for another format than bundle also
    a bundle, of which the whole is taken once it is verified. The same range gives the same bytes, as long as source
    and version are the same.
    A broken chain is packed as it is, as evidence of that. Prints the file's SHA-256, as sha256sum does.

    Exit status: 0 written, 2 could not be.
    """
    asked = within(start, end, from_, to)
    with or_could_not("export"):
        try:
            formats.require(form)
        except NotInstalled as error:
            raise NotEvidence(str(error)) from None
        if str(output) == "-":
            raise NotEvidence("-: a file is written, and nothing but its hash to standard output: name a file")
        if output.exists() and not force:
            raise NotEvidence(f"{output} exists; --force replaces it")
        if not output.parent.is_dir():
            raise NotEvidence(f"{output}: there is no directory {output.parent}")
        refuse_others(output)
        evidence = opened(source, org=org, profile=profile, endpoint_url=endpoint_url)
        pinned = None if key is None else pinned_key(key)
        if isinstance(evidence, BundleSource):
            if form == BUNDLE:
                raise NotEvidence(f"{source} is a bundle already: --format makes a view of it")
            made: Bundle | WrittenBundle = _verified(evidence, asked, pinned)
            sha256 = _write(made, form, output)
        else:
            with _packed(_exporter(evidence, pinned, ledger), evidence.org_id, asked) as made:
                sha256 = _write(made, form, output)
        _say(made.manifest, output)
    click.echo(f"{sha256}  {output}")


def _verified(evidence: BundleSource, asked: Range, key: Pinned | None) -> WrittenBundle:
    """The bundle, once it is what its exporter packed. A view says of it what the exporter said."""
    if asked != Range():
        raise NotEvidence("a view says which bundle proves it: of one that is there already it is made of the whole")
    with records_bar("verifying") as progress:
        verdict = audit(evidence, Asked(key=key), progress=progress)
    if not verdict.valid and evidence.manifest.exported.valid:
        raise NotEvidence(f"{evidence.where} is broken: indelible verify says where")
    return WrittenBundle(Path(evidence.where), evidence.manifest)


def _exporter(evidence: Source, key: Pinned | None, ledger: str | None) -> Exporter:
    name = ledger_name(evidence, key) or ledger or "indelible"
    if key is None:
        click.echo("Without --key no signature is looked at; whoever verifies the bundle does.", err=True)
    ring, unsure = key_ring(evidence, key, name)
    for said in unsure:
        click.echo(f"Not checked: {plain(said)}", err=True)
    return Exporter(
        records=evidence,
        files=evidence,
        log=LogReader(files=evidence if key else NoLog(), ledger_name=name, keys=lambda: ring),
        ledger_name=name,
        scratch=TemporaryFiles(),
        clock=SystemClock(),
        anchored=partial(_anchored, evidence),
        locks=evidence.locks,
    )


def _anchored(evidence: Source, at_least: int) -> Iterator[tuple[int, AnchorFile]]:
    found = (parse_anchor_path(name) for name in evidence.names(LEDGER, DIRECTORY))
    return (place for place in found if place is not None and place[0] >= at_least)


@contextmanager
def _packed(exporter: Exporter, org_id: str, asked: Range) -> Iterator[Bundle]:
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} records"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("packing", total=None)
        made = exporter.bundle(org_id, asked, progress=lambda count: bar.update(task, completed=count))
    try:
        yield made
    finally:
        made.close()


def _write(made: Bundle | WrittenBundle, form: str, output: Path) -> str:
    """Write all of it or nothing; the SHA-256 of the file."""
    with whole_file(output) as out:
        if form == BUNDLE:
            return _copied(made, out.write)
        formats.write(VIEWS[form], made, out, bundle_sha256=_copied(made, lambda _: None))
        out.seek(0)
        digest = hashlib.sha256()
        while piece := out.read(_PIECE):
            digest.update(piece)
        return digest.hexdigest()


def _copied(made: Bundle | WrittenBundle, take: Callable[[bytes], object]) -> str:
    digest = hashlib.sha256()
    for piece in made.pieces():
        digest.update(piece)
        take(piece)
    return digest.hexdigest()


def _say(manifest: Manifest, output: Path) -> None:
    covered = (
        f"under a checkpoint of {manifest.checkpoint.size:,}" if manifest.checkpoint else "under no checkpoint yet"
    )
    click.echo(
        f"{output}: records {manifest.first_sequence:,} to {manifest.last_sequence:,} of "
        f"{plain(manifest.ledger_name)}/{manifest.org_id}, {covered}.",
        err=True,
    )
    said = manifest.exported
    if not said.valid:
        at = "" if said.first_broken_at is None else f", the first at record {said.first_broken_at:,}"
        failures = f"{said.failures_total:,} failure{'' if said.failures_total == 1 else 's'}"
        click.echo(f"The chain is broken: {failures}{at}. It is packed as it is.", err=True)
        for one in said.failures[:10]:
            where = "" if one.sequence is None else f" at record {one.sequence:,}"
            click.echo(f"  {one.code}{where}: {plain(one.detail)}", err=True)
