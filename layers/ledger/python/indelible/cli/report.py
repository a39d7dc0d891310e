# SPDX-License-Identifier: Apache-2.0
"""The verdict of `indelible verify`, as text for auditors and as JSON with the API's fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console

from indelible.audit.verify import Audit
from indelible.cli.terminal import counted, print_rows, safe_line
from indelible.domain.findings import Failure, FailureCode

_MEANING = {
    FailureCode.CONTENT_MISMATCH: "The content is not what was sealed",
    FailureCode.BROKEN_LINK: "The record does not name its predecessor",
    FailureCode.MISSING: "Records are missing",
    FailureCode.FORK: "There are two histories",
    FailureCode.SHADOWED: "A delete marker or a newer version hides the record (the sealed version was checked)",
    FailureCode.UNLOCKED: "The record is not locked as it promises",
    FailureCode.TIME_REVERSED: "Time runs backwards",
    FailureCode.TRUNCATED: "The end of the chain is missing",
    FailureCode.UNKNOWN_FORMAT: "This is not a record that the ledger can have written",
    FailureCode.CHECKPOINT_MISMATCH: "The records do not match the root that the ledger signed",
    FailureCode.BAD_SIGNATURE: "The signature is not the ledger's",
}
_MAX_SHOWN = 50


def as_json(verdict: Audit, lacking: Sequence[str]) -> dict[str, Any]:
    """The fields of the API's verdict, then those that only offline verification has.

    `lacking` says what the options required and the source does not show; if there is any, the exit status is 2.
    """
    checkpoint = verdict.checkpoint
    return {
        "valid": verdict.valid,
        "entries_checked": verdict.entries_checked,
        "first_broken_at": verdict.first_broken_at,
        "verification_time_ms": verdict.verification_time_ms,
        "failures": [
            {name: value for name, value in asdict(failure).items() if value is not None or name == "sequence"}
            for failure in verdict.failures
        ],
        "failures_total": verdict.failures_total,
        "pending": [],
        "complete": True,
        "next_seq": None,
        "checkpoint": checkpoint
        and {"origin": checkpoint.origin, "tree_size": checkpoint.size, "root_hash": checkpoint.root.hex()},
        "source": verdict.source,
        "org_id": verdict.org_id,
        "ledger_name": verdict.ledger_name,
        "first_sequence": verdict.first_sequence,
        "last_sequence": verdict.last_sequence,
        "key": verdict.key and {"verifier_key": str(verdict.key), "pinned": verdict.key_pinned},
        "resumed": verdict.resumed,
        "receipts_checked": verdict.receipts,
        "anchors": [asdict(found) for found in verdict.anchors],
        "unchecked": verdict.unchecked,
        "lacking": [*lacking],
    }


def print_verdict(verdict: Audit, lacking: Sequence[str], console: Console) -> None:
    """Print the verdict, what supports it, the failures, and what was not checked."""
    if verdict.valid and lacking:
        console.print("[bold yellow]VALID, BUT NOT CONFIRMED AS REQUIRED[/]", safe_line(verdict.source))
    elif verdict.valid:
        console.print("[bold green]VALID[/]", safe_line(verdict.source))
    else:
        broken = verdict.first_broken_at
        failures = counted(verdict.failures_total, "failure")
        where = "" if broken is None else f", first at record {broken}"
        console.print("[bold red]BROKEN[/]", safe_line(f"{verdict.source}: {failures}{where}"))
    print_rows(console, _facts(verdict))
    for failure in verdict.failures[:_MAX_SHOWN]:
        console.print()
        _print_failure(console, failure)
    if verdict.failures_total > _MAX_SHOWN:
        console.print(f"\n… and {verdict.failures_total - _MAX_SHOWN:,} more; --json lists the first thousand.")
    if verdict.unchecked:
        console.print("\n[bold]Not checked[/]")
        for clause in verdict.unchecked:
            console.print("  •", safe_line(clause))


def _facts(verdict: Audit) -> Iterator[tuple[str, str]]:
    seconds = verdict.verification_time_ms / 1000
    rate = verdict.read / seconds if seconds else 0
    yield "organisation", verdict.org_id + (f" of the ledger {verdict.ledger_name}" if verdict.ledger_name else "")
    yield "records", f"{verdict.entries_checked:,}, from {verdict.first_sequence:,} to {verdict.last_sequence:,}"
    if verdict.resumed is not None:
        yield "resumed", f"this run read {verdict.read:,} of them, from record {verdict.resumed:,} on"
    yield "signed root", _signed_root(verdict)
    yield "key", _key(verdict)
    if verdict.receipts:
        yield "receipts", f"{verdict.receipts:,} checked against the records"
    for found in verdict.anchors:
        reaches = f" (records up to {found.covers:,})" if found.checked and found.kind != "ledger log" else ""
        yield found.kind, found.words + reaches
    yield "time", f"{seconds:,.1f} s ({rate:,.0f} records a second)"


def _signed_root(verdict: Audit) -> str:
    if verdict.checkpoint is None:
        return "none that covers these records"
    size, end = verdict.checkpoint.size, verdict.last_sequence
    which = "the records match" if size >= end else f"the records up to {size:,}, of {end:,}, match"
    return f"{which} that of {verdict.checkpoint.origin}, size {size:,}"


def _key(verdict: Audit) -> str:
    if verdict.key is None:
        return "none"
    if verdict.key_pinned:
        return f"{verdict.key.key_id.hex()}, pinned by you"
    return f"{verdict.key.key_id.hex()}, from the source itself: NOT PINNED, compare it with one that you trust"


def _print_failure(console: Console, failure: Failure) -> None:
    where = "the source" if failure.sequence is None else f"record {failure.sequence:,}"
    if failure.code in (FailureCode.CHECKPOINT_MISMATCH, FailureCode.BAD_SIGNATURE) and failure.sequence is not None:
        where = f"tree size {failure.sequence:,}"
    if failure.through is not None:
        where = f"records {failure.sequence:,} to {failure.through:,}"
    console.print(f"[red]{failure.code}[/] {where}: {_MEANING[failure.code]}", soft_wrap=True)
    details = [
        ("", failure.detail),
        ("key", failure.s3_key),
        ("version", failure.version_id),
        ("expected", failure.expected),
        ("found", failure.found),
    ]
    print_rows(console, ((name, value) for name, value in details if value), style="dim")
