# SPDX-License-Identifier: Apache-2.0
"""`indelible verify`: checks that the records are what the ledger sealed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from indelible.audit.anchors import Trust, trusted
from indelible.audit.keys import pinned_key
from indelible.audit.pending import completed_proofs
from indelible.audit.receipts import read_receipts
from indelible.audit.source import Source
from indelible.audit.verify import Audit, AuditRequest, audit
from indelible.cli import COULD_NOT_CHECK, report
from indelible.cli.checkpoint import checkpoint, first_covering
from indelible.cli.options import json_option, key_option, parse_range, range_options, source_options
from indelible.cli.progress import records_bar
from indelible.cli.sources import exit_on_failure, open_source
from indelible.cli.terminal import Output, safe_text
from indelible.cli.upgrade_ots import complete_from_calendars

_WORTH_PROCESSES = 50_000
"""Records from which starting worker processes saves time."""
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@source_options
@key_option
@click.option(
    "--receipt", "receipts", type=_FILE, multiple=True, help="Receipts to check the records against; repeatable."
)
@range_options
@click.option("--strict", is_flag=True, help="Parse every record completely, and check that it is canonical JSON.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Number of processes.  [default: one for each core]")
@click.option(
    "--checkpoint-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save the progress here, and resume from it.",
)
@click.option("--tsa-root", "tsa_roots", type=_FILE, multiple=True, help="PEM of timestamp authorities that you trust.")
@click.option(
    "--witness", "witnesses", metavar="VKEY", multiple=True, help="A witness's verifier key, or a file with one."
)
@click.option("--quorum", type=click.IntRange(min=1), help="How many witnesses must have signed.  [default: all]")
@click.option("--bitcoin-headers", type=_FILE, help="Block headers: on each line a height and 160 hex digits.")
@click.option("--bitcoin-header", metavar="HEIGHT:HEX", multiple=True, help="One block header; repeatable.")
@click.option("--check-anchors", is_flag=True, help="Exit with 2 unless an external anchor confirms the log.")
@click.option("--check-tst", is_flag=True, help="Exit with 2 unless an RFC 3161 token confirms the log.")
@click.option("--completed", type=_DIRECTORY, help="Directory with OpenTimestamps proofs that upgrade-ots completed.")
@click.option("--upgrade-pending", is_flag=True, help="First query the calendars, as upgrade-ots does.")
@click.option(
    "--print-anchor",
    type=click.IntRange(min=1),
    metavar="N",
    help="Only print what was signed over record N.",
)
@json_option
@click.pass_context
def verify(
    ctx: click.Context,
    source: str,
    org: str | None,
    profile: str | None,
    endpoint_url: str | None,
    key: str | None,
    receipts: tuple[Path, ...],
    start: int | None,
    end: int | None,
    from_: str | None,
    to: str | None,
    strict: bool,
    jobs: int | None,
    checkpoint_file: Path | None,
    tsa_roots: tuple[Path, ...],
    witnesses: tuple[str, ...],
    quorum: int | None,
    bitcoin_headers: Path | None,
    bitcoin_header: tuple[str, ...],
    check_anchors: bool,
    check_tst: bool,
    completed: Path | None,
    upgrade_pending: bool,
    print_anchor: int | None,
    as_json: bool,
) -> None:
    """Verify every record, their order, every signed root and, in a bucket, the locks.

    SOURCE is s3://BUCKET/ORGANISATION, a directory copied from there, or an evidence bundle. A directory and a bundle
    need neither an AWS account nor a network. What the source cannot show is listed as not checked.

    Exit status: 0 valid, 1 broken, 2 could not check.
    """
    if print_anchor is not None and as_json:
        location = {"source": source, "org": org, "profile": profile, "endpoint_url": endpoint_url}
        ctx.invoke(checkpoint, **location, key=key, sequence=print_anchor, as_json=True)
        return
    with exit_on_failure("check"):
        trust = trusted(
            witnesses=witnesses,
            quorum=quorum,
            tsa_roots=tsa_roots,
            headers_file=bitcoin_headers,
            headers=bitcoin_header,
        )
        within = parse_range(start, end, from_, to)
        evidence = open_source(source, org=org, profile=profile, endpoint_url=endpoint_url)
        if print_anchor is not None:
            click.echo(safe_text(first_covering(evidence, print_anchor)[1]), nl=False)
            return
        if completed is not None:
            trust = replace(trust, completed=completed_proofs(completed))
        if upgrade_pending:
            trust = replace(trust, completed={**trust.completed, **complete_from_calendars(evidence)})
        request = AuditRequest(
            within=within,
            key=None if key is None else pinned_key(key),
            receipts=read_receipts(receipts, evidence.org_id),
            jobs=jobs or _default_jobs(evidence),
            strict=strict,
            progress_file=checkpoint_file,
            trust=trust,
        )
        with records_bar("verifying") as progress:
            verdict = audit(evidence, request, progress=progress, say=_print_error)
    lacking = [*_lacking(verdict, trust, anchors=check_anchors, tokens=check_tst)]
    if as_json:
        click.echo(json.dumps(report.as_json(verdict, lacking)))
    else:
        report.print_verdict(verdict, lacking, Output())
    if not verdict.valid:
        raise SystemExit(1)
    if lacking:
        click.echo(f"Could not check: {'; '.join(lacking)}", err=True)
        raise SystemExit(COULD_NOT_CHECK)


def _lacking(verdict: Audit, trust: Trust, *, anchors: bool, tokens: bool) -> Iterator[str]:
    """What the options require and the source does not show: records, a root by the pinned key, external anchors."""
    yield from verdict.absent
    if verdict.key_pinned and verdict.checkpoint is None:
        yield "no root signed with the given key covers any of these records"
    sound = [found for found in verdict.anchors if found.checked and found.covers >= verdict.first_sequence]
    signers = {found.name for found in sound if found.kind == "witness"}
    if len(signers) < trust.needed:
        signed = f"{len(signers):,} of the named witnesses {'has' if len(signers) == 1 else 'have'} signed"
        yield f"{signed}; {trust.needed:,} {'is' if trust.needed == 1 else 'are'} needed"
    if (tokens or trust.tsa_roots) and not any(found.kind == "timestamp" for found in sound):
        yield "no RFC 3161 token of a trusted authority confirms the log"
    if trust.headers and not any(found.kind == "opentimestamps" for found in sound):
        yield "no OpenTimestamps proof leads to a block whose header was given"
    if anchors and not any(found.kind != "ledger log" for found in sound):
        yield "no external anchor of a trusted provider confirms the log"


def _default_jobs(source: Source) -> int:
    """One process for each core, or one alone for few records."""
    if (source.count() or _WORTH_PROCESSES) < _WORTH_PROCESSES:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _print_error(line: str) -> None:
    click.echo(safe_text(line), err=True)
