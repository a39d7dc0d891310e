# SPDX-License-Identifier: Apache-2.0
"""`indelible export`: writes a range of a chain to one file, as an evidence bundle or as a view of one."""

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
from indelible.audit.verify import AuditRequest, audit
from indelible.audit.written import WrittenBundle
from indelible.cli.atomic_file import atomic_file, refuse_special_file
from indelible.cli.options import key_option, parse_range, range_options, source_options
from indelible.cli.progress import records_bar
from indelible.cli.sources import exit_on_failure, open_source
from indelible.cli.terminal import counted, safe_line
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
_CHUNK_BYTES = 1024 * 1024
_MAX_FAILURES = 10
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@source_options
@key_option
@range_options
@click.option("-o", "--output", type=_FILE, required=True, help="The file to write.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@click.option(
    "--format",
    "form",
    type=click.Choice([BUNDLE, *VIEWS]),
    default=BUNDLE,
    show_default=True,
    help="A bundle is evidence. The others are for reading, and name the bundle that proves them.",
)
@click.option("--ledger", envvar="INDELIBLE_LEDGER", help="The ledger's name, if no checkpoint gives it.")
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
    """Export a range of a chain, with its proofs, to one file.

    SOURCE is s3://BUCKET/ORGANISATION or a directory copied from there. For formats other than bundle it may also be a
    bundle, which is verified first and exported as a whole. The same range of the same source gives the same bytes, as
    long as the version of indelible is the same. A broken chain is exported as it is, as evidence of that. Prints the
    file's SHA-256 in the format of sha256sum.

    Exit status: 0 written, 2 could not export.
    """
    asked = parse_range(start, end, from_, to)
    with exit_on_failure("export"):
        try:
            formats.require(form)
        except NotInstalled as error:
            raise NotEvidence(str(error)) from None
        if str(output) == "-":
            raise NotEvidence("the export cannot be written to standard output, which gets the hash; name a file")
        if output.exists() and not force:
            raise NotEvidence(f"{output} exists; --force replaces it")
        if not output.parent.is_dir():
            raise NotEvidence(f"{output}: there is no directory {output.parent}")
        refuse_special_file(output)
        evidence = open_source(source, org=org, profile=profile, endpoint_url=endpoint_url)
        pinned = None if key is None else pinned_key(key)
        if isinstance(evidence, BundleSource):
            if form == BUNDLE:
                raise NotEvidence(f"{source} is already a bundle; --format exports it in another format")
            made: Bundle | WrittenBundle = _verify(evidence, asked, pinned)
            sha256 = _write(made, form, output)
        else:
            with _pack(_exporter(evidence, pinned, ledger), evidence.org_id, asked) as made:
                sha256 = _write(made, form, output)
        _print_summary(made.manifest, output)
    click.echo(f"{sha256}  {output}")


def _verify(evidence: BundleSource, asked: Range, key: Pinned | None) -> WrittenBundle:
    """The bundle, once it has passed verification. Raises NotEvidence if its exporter called it valid and it is not.

    A bundle of a chain that was broken when it was exported is accepted: its views say so.
    """
    if asked != Range():
        raise NotEvidence("a bundle is exported as a whole: a range needs the bucket or a directory")
    with records_bar("verifying") as progress:
        verdict = audit(evidence, AuditRequest(key=key), progress=progress)
    if not verdict.valid and evidence.manifest.exported.valid:
        raise NotEvidence(f"{evidence.where} is broken; run indelible verify for details")
    return WrittenBundle(Path(evidence.where), evidence.manifest)


def _exporter(evidence: Source, key: Pinned | None, ledger: str | None) -> Exporter:
    name = ledger_name(evidence, key) or ledger or "indelible"
    if key is None:
        click.echo("No --key was given: signatures are not checked now, only when the bundle is verified.", err=True)
    ring, unknown = key_ring(evidence, key, name)
    for clause in unknown:
        click.echo(f"Not checked: {safe_line(clause)}", err=True)
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
def _pack(exporter: Exporter, org_id: str, asked: Range) -> Iterator[Bundle]:
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
    """Write the file atomically and return its SHA-256 (hex)."""
    with atomic_file(output) as out:
        if form == BUNDLE:
            return _copy(made, out.write)
        formats.write(VIEWS[form], made, out, bundle_sha256=_copy(made, lambda _: None))
        out.seek(0)
        digest = hashlib.sha256()
        while piece := out.read(_CHUNK_BYTES):
            digest.update(piece)
        return digest.hexdigest()


def _copy(made: Bundle | WrittenBundle, write: Callable[[bytes], object]) -> str:
    """Pass the bundle's bytes to `write` and return their SHA-256 (hex)."""
    digest = hashlib.sha256()
    for piece in made.pieces():
        digest.update(piece)
        write(piece)
    return digest.hexdigest()


def _print_summary(manifest: Manifest, output: Path) -> None:
    signed = manifest.checkpoint
    covered = f"covered by the checkpoint of size {signed.size:,}" if signed else "covered by no checkpoint yet"
    click.echo(
        f"{output}: records {manifest.first_sequence:,} to {manifest.last_sequence:,} of "
        f"{safe_line(manifest.ledger_name)}/{manifest.org_id}, {covered}.",
        err=True,
    )
    exported = manifest.exported
    if not exported.valid:
        at = "" if exported.first_broken_at is None else f", the first at record {exported.first_broken_at:,}"
        failures = counted(exported.failures_total, "failure")
        click.echo(f"The chain is broken: {failures}{at}. It is exported as it is.", err=True)
        for failure in exported.failures[:_MAX_FAILURES]:
            where = "" if failure.sequence is None else f" at record {failure.sequence:,}"
            click.echo(f"  {failure.code}{where}: {safe_line(failure.detail)}", err=True)
