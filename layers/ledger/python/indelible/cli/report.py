# SPDX-License-Identifier: Apache-2.0
"""A verdict in words that an auditor understands, and in JSON with the API's fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console

from indelible.audit.verify import Audit
from indelible.cli.plain import plain, rows
from indelible.domain.findings import Failure, FailureCode

_MEANS = {
    FailureCode.CONTENT_MISMATCH: "The content is not what was sealed",
    FailureCode.BROKEN_LINK: "The record does not name the one before it",
    FailureCode.MISSING: "Records are missing",
    FailureCode.FORK: "There are two histories",
    FailureCode.SHADOWED: "Something was laid over the record (the sealed version under it was checked)",
    FailureCode.UNLOCKED: "The record is not protected as it promises",
    FailureCode.TIME_REVERSED: "Time runs backwards",
    FailureCode.TRUNCATED: "The end of the chain is missing",
    FailureCode.UNKNOWN_FORMAT: "This is no record that the ledger could have written",
    FailureCode.CHECKPOINT_MISMATCH: "The records are not those that the ledger signed for",
    FailureCode.BAD_SIGNATURE: "The signature is not the ledger's",
}
_SHOWN = 50


def as_json(verdict: Audit, lacking: Sequence[str]) -> dict[str, Any]:
    """The fields of the API's verdict, then those that only an auditor's side has.

    `lacking` is who was demanded, and has not vouched for any of it: then the exit status is 2.
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


def show(verdict: Audit, lacking: Sequence[str], console: Console) -> None:
    """The verdict first, what supports it, every failure, and what was not checked."""
    if verdict.valid and lacking:
        console.print("[bold yellow]VALID, BUT NOT VOUCHED FOR AS DEMANDED[/]", plain(verdict.source))
    elif verdict.valid:
        console.print("[bold green]VALID[/]", plain(verdict.source))
    else:
        broken = verdict.first_broken_at
        failures = _count(verdict.failures_total, "failure")
        where = "" if broken is None else f", first at record {broken}"
        console.print("[bold red]BROKEN[/]", plain(f"{verdict.source}: {failures}{where}"))
    rows(console, _facts(verdict))
    for failure in verdict.failures[:_SHOWN]:
        console.print()
        _failure(console, failure)
    if verdict.failures_total > _SHOWN:
        console.print(f"\n… and {verdict.failures_total - _SHOWN:,} more; --json lists the first thousand.")
    if verdict.unchecked:
        console.print("\n[bold]Not checked[/]")
        for clause in verdict.unchecked:
            console.print("  •", plain(clause))


def _facts(verdict: Audit) -> Iterator[tuple[str, str]]:
    seconds = verdict.verification_time_ms / 1000
    rate = verdict.read / seconds if seconds else 0
    yield "organisation", verdict.org_id + (f" of the ledger {verdict.ledger_name}" if verdict.ledger_name else "")
    yield "records", f"{verdict.entries_checked:,}, from {verdict.first_sequence:,} to {verdict.last_sequence:,}"
    if verdict.resumed is not None:
        yield "resumed", f"this run read {verdict.read:,} of them, from record {verdict.resumed:,} on"
    yield "signed root", _signed(verdict)
    yield "key", _key(verdict)
    if verdict.receipts:
        yield "receipts", f"{verdict.receipts:,} held against the records"
    for found in verdict.anchors:
        reaches = f" (records up to {found.covers:,})" if found.checked and found.kind != "ledger log" else ""
        yield found.kind, found.words + reaches
    yield "time", f"{seconds:,.1f} s ({rate:,.0f} records a second)"


def _signed(verdict: Audit) -> str:
    if verdict.checkpoint is None:
        return "none that the records could be held against"
    size, end = verdict.checkpoint.size, verdict.last_sequence
    which = "the records lead" if size >= end else f"the records up to {size:,}, of {end:,}, lead"
    return f"{which} to the one of {verdict.checkpoint.origin}, size {size:,}"


def _key(verdict: Audit) -> str:
    if verdict.key is None:
        return "none"
    if verdict.key_pinned:
        return f"{verdict.key.key_id.hex()}, pinned by you"
    return f"{verdict.key.key_id.hex()}, from the source itself: NOT PINNED, compare it with one that you trust"


def _failure(console: Console, failure: Failure) -> None:
    where = "the source" if failure.sequence is None else f"record {failure.sequence:,}"
    if failure.code in (FailureCode.CHECKPOINT_MISMATCH, FailureCode.BAD_SIGNATURE) and failure.sequence is not None:
        where = f"tree size {failure.sequence:,}"
    if failure.through is not None:
        where = f"records {failure.sequence:,} to {failure.through:,}"
    console.print(f"[red]{failure.code}[/] {where}: {_MEANS[failure.code]}", soft_wrap=True)
    details = [
        ("", failure.detail),
        ("key", failure.s3_key),
        ("version", failure.version_id),
        ("expected", failure.expected),
        ("found", failure.found),
    ]
    rows(console, ((name, value) for name, value in details if value), style="dim")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
