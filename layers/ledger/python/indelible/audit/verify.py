# SPDX-License-Identifier: Apache-2.0
"""Verify a source: its records, their order, every signed root, every promise that the auditor holds.

Invariant: `valid` is the API's verdict on what the source shows, and nothing that could not be checked is passed over
in silence: it stands in `unchecked`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from indelible.audit.anchor_search import AnchorSearch
from indelible.audit.anchors import ExternalAnchor, Trust
from indelible.audit.fast_walk import FastWalk
from indelible.audit.keys import Pinned, key_ring, ledger_name, stated_key
from indelible.audit.receipts import Receipts
from indelible.audit.resume import Keeper, State
from indelible.audit.source import NotEvidence, Published, Source, Walked
from indelible.domain import record
from indelible.domain.audit_id import MAX_SEQUENCE
from indelible.domain.checkpoint import Checkpoint
from indelible.domain.findings import Failure, Promise, in_order
from indelible.domain.note import VerifierKey
from indelible.services.locate import Locator
from indelible.services.log import LEDGER, LogReader
from indelible.services.offline import NoLog, NoTable
from indelible.services.ranges import Range
from indelible.services.walk import NO_DEADLINE

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an auditor wants to know, and what he brings along. Without `fast` the verdict is the same, and late."""

    within: Range = field(default_factory=Range)
    key: Pinned | None = None
    receipts: Receipts = field(default_factory=dict)
    jobs: int = 1
    strict: bool = False
    fast: bool = True
    progress_file: Path | None = None
    trust: Trust = field(default_factory=Trust)


@dataclass(frozen=True, slots=True)
class Audit:
    """The verdict, with the fields of the API's and some more.

    `key` is the one that signed, if any was looked at. `absent` is what was asked for and the source does not have.
    `resumed` is the first record that this run read, where an earlier one had read those before it; `read` is how many
    this run read of the `entries_checked`.
    """

    valid: bool
    source: str
    org_id: str
    ledger_name: str | None
    entries_checked: int
    first_sequence: int
    last_sequence: int
    first_broken_at: int | None
    verification_time_ms: int
    failures: list[Failure]
    failures_total: int
    checkpoint: Checkpoint | None
    key: VerifierKey | None
    key_pinned: bool
    receipts: int
    anchors: list[ExternalAnchor]
    absent: list[str]
    unchecked: list[str]
    resumed: int | None
    read: int


def audit(
    source: Source,
    asked: Asked,
    *,
    progress: Callable[[int, int | None], None] = lambda _, __: None,
    say: Callable[[str], None] = lambda _: None,
) -> Audit:
    """Check everything that the source shows of the range. Raises NotEvidence where nothing can be said.

    `progress` is told what FastWalk says, `say` a line for people, beside the verdict.
    """
    began = time.monotonic()
    if source.org_id == LEDGER:
        raise NotEvidence(f"{LEDGER} is the ledger's own log and has no records: indelible checkpoint reads it")
    if not record.is_owner(source.org_id):
        raise NotEvidence(f"{source.where}: {source.org_id!r} is not the name of an organisation")
    within, whole = _bounded(source, asked.within), _is_whole(source, asked.within)
    key = asked.key or stated_key(source)
    name = ledger_name(source, key)
    ring, unsure = key_ring(source, key, name or _UNKNOWN)
    rootless = _no_roots(source, key, whole=whole)
    log = LogReader(files=NoLog() if rootless else Published(source), ledger_name=ring.ledger_name, keys=lambda: ring)
    about = _about(source, asked)
    keeper = Keeper(asked.progress_file, about, source.identity, say) if asked.progress_file else None
    begun = keeper.load() if keeper else None
    walk = FastWalk(
        source,
        NoTable(),
        log,
        _Clock(),
        source.org_id,
        within,
        locks=source.locks,
        source=source,
        receipts=asked.receipts,
        jobs=asked.jobs,
        strict=asked.strict,
        fast=asked.fast,
        progress=progress,
        begun=begun,
        keep=keeper.keep if keeper else None,
    )
    walk.go(NO_DEADLINE)
    if keeper:
        keeper.done()
    checker = walk.checker
    last = checker.next_sequence - 1
    walked = Walked(
        ledger_name=name,
        first=walk.first,
        last=max(last, within.end_seq or 0),
        entries=checker.entries_checked,
        found={(failure.code, failure.sequence) for failure in checker.failures},
        strict=asked.strict,
        whole=whole,
    )
    for failure in source.own_failures(walked):
        checker.take(failure)
    if not checker.entries_checked and not checker.failures_total:
        what = f"record of {source.org_id}" if asked.within == Range() else "record in that range"
        raise NotEvidence(f"{source.where} has no {what}")
    top = walk.climb.top(walk.roots.last.size) if walk.roots.last else None
    search = AnchorSearch(source, log, walk.climb, asked.trust, checker.take)
    anchors = search.look(top, first=walk.first) if top else []
    left_out = walk.receipts_left_out
    return Audit(
        valid=checker.failures_total == 0,
        source=source.where,
        org_id=source.org_id,
        ledger_name=name,
        entries_checked=checker.entries_checked,
        first_sequence=walk.first,
        last_sequence=last,
        first_broken_at=checker.first_broken_at,
        verification_time_ms=round((time.monotonic() - began) * 1000),
        failures=in_order(checker.failures),
        failures_total=checker.failures_total,
        checkpoint=walk.roots.last,
        key=VerifierKey(name, key.public_key) if key and name else None,
        key_pinned=asked.key is not None,
        receipts=sum(map(len, asked.receipts.values())) - len(left_out),
        anchors=anchors,
        absent=[*_absent(source, asked.within)],
        unchecked=[
            *_read_before(begun),
            *source.unchecked,
            *unsure,
            *rootless,
            *_receipts_left_out(left_out),
            *_not_covered(walk, anchors),
            *([] if asked.strict else ["what is inside the events (--strict parses every record wholly)"]),
        ],
        resumed=begun.last.sequence + 1 if begun else None,
        read=checker.entries_checked - (begun.entries_checked if begun else 0),
    )


class _Clock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def sleep_ms(self, duration_ms: float) -> None:
        time.sleep(duration_ms / 1000)


def _bounded(source: Source, within: Range) -> Range:
    """A source that says where it ends is held to it."""
    if source.ends_at is None:
        return within
    return replace(within, end_seq=min(within.end_seq or source.ends_at, source.ends_at))


def _absent(source: Source, within: Range) -> Iterator[str]:
    """What was asked for and lies before or after what the source has; each as a clause for people."""
    if within.start_seq is not None and within.start_seq < source.starts_at:
        yield f"{_records(within.start_seq, source.starts_at - 1)}: not in this bundle"
    if within.end_seq is not None and source.ends_at is not None and within.end_seq > source.ends_at:
        yield f"{_records(source.ends_at + 1, within.end_seq)}: not in this bundle"


def _is_whole(source: Source, within: Range) -> bool:
    """Whether all that the source says that it has is asked for."""
    begins, ends = (within.start_seq or 1) <= source.starts_at, source.ends_at is None or within.to_ms is None
    if begins and within.from_ms is not None:
        first = Locator(source, source.org_id).first_at_or_after(within.from_ms)
        begins = first is not None and first.sequence <= source.starts_at
    return begins and ends and (within.end_seq is None or within.end_seq >= (source.ends_at or MAX_SEQUENCE))


def _no_roots(source: Source, key: Pinned | None, *, whole: bool) -> list[str]:
    """Why signed roots cannot be looked at; nothing where they can."""
    if next(source.sizes(source.org_id, at_least=1), None) is None:
        return ["signed roots: the source has no checkpoint of this organisation"]
    if key is None:
        return ["signatures and signed roots: no key was given, and the source names none; see --key"]
    if source.ends_at is not None and not whole:
        return ["signed roots: a bundle has what it takes for its own range only, not for a part of it"]
    return []


def _read_before(begun: State | None) -> list[str]:
    if begun is None:
        return []
    which = _records(begun.first, begun.last.sequence)
    them = "it" if begun.first == begun.last.sequence else "them"
    return [f"{which}: an earlier run read {them}, not this one; a change since then is not noticed"]


def _receipts_left_out(left_out: Sequence[Promise]) -> list[str]:
    if not left_out:
        return []
    sequences = sorted({promise.sequence for promise in left_out})
    named = ", ".join(f"{sequence:,}" for sequence in sequences[:5])
    return [f"receipts for records outside of the range: {named}{' and more' if len(sequences) > 5 else ''}"]


def _not_covered(walk: FastWalk, anchors: Sequence[ExternalAnchor]) -> Iterator[str]:
    """What could have been made, or cut off, by whoever can write to the source."""
    end = walk.checker.next_sequence - 1
    signed = max(walk.roots.last.size if walk.roots.last else 0, walk.first - 1)
    if signed < end:
        yield (
            f"{_records(signed + 1, end)}: no signed root covers {'it' if signed + 1 == end else 'them'}, and a chain "
            "alone can be written by anybody who can write to the source"
        )
    promised = max((promise.sequence for promise in walk.receipts_held), default=0)
    if max(signed, promised) < end and walk.asked.end_seq is None:
        yield (
            f"whether the chain went on after record {end:,}: no signed checkpoint or receipt reaches that far, and a "
            "chain does not notice that its end was cut off"
        )
    vouched = max((found.covers for found in anchors if found.checked and found.kind != "ledger log"), default=0)
    if vouched < end:
        first = max(vouched + 1, walk.first)
        were, them = ("was", "it") if first == end else ("were", "them")
        which = _records(first, end)
        yield f"when {which} {were} made, beyond the ledger's own word: no external anchor covers {them} here"


def _records(first: int, last: int) -> str:
    return f"record {first:,}" if first == last else f"records {first:,} to {last:,}"


def _about(source: Source, asked: Asked) -> str:
    held: Sequence[Promise] = [promise for _, several in sorted(asked.receipts.items()) for promise in several]
    key = asked.key.public_key.hex() if asked.key else ""
    return repr((source.fingerprint, asked.within, key, asked.strict, held))
