# SPDX-License-Identifier: Apache-2.0
"""Verify a source: its records, their order, every signed root, every promise that the auditor holds.

Invariant: `valid` is the API's verdict on what the source shows, and nothing that could not be checked is passed over
in silence: it stands in `unchecked`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from indelible.audit.bundle import BundleSource
from indelible.audit.keys import Pinned, key_ring, ledger_name, stated_key
from indelible.audit.outside import Outside, Trust, Upwards
from indelible.audit.receipts import Receipts
from indelible.audit.resume import Keeper
from indelible.audit.source import NotEvidence, Source
from indelible.audit.walk import Strides
from indelible.domain.chain import MAX_FAILURES, ChainChecker
from indelible.domain.checkpoint import Checkpoint
from indelible.domain.findings import Failure, FailureCode, Promise
from indelible.domain.note import VerifierKey
from indelible.domain.record import EMPTY_CHAIN
from indelible.ports import StoredLogFiles
from indelible.services.log import LogReader
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
    """The verdict, with the fields of the API's and some more. `key` is the one that signed, if any was looked at."""

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
    outside: list[Outside]
    unchecked: list[str]


def audit(source: Source, asked: Asked, *, progress: Callable[[int], None] = lambda _: None) -> Audit:
    """Check everything that the source shows of the range. Raises NotEvidence where nothing can be said."""
    began = time.monotonic()
    within, unchecked = _range(source, asked.within), [*source.unchecked]
    key = asked.key or stated_key(source)
    name = ledger_name(source, key)
    files = _log_files(source, within, key, unchecked)
    ring = key_ring(source, key, name or _UNKNOWN, unchecked)
    log = LogReader(files=files, ledger_name=ring.ledger_name, keys=lambda: ring)
    keeper = Keeper(asked.progress_file, _about(source, asked)) if asked.progress_file else None
    walk = Strides(
        source,
        NoTable(),
        log,
        _Clock(),
        source.org_id,
        within,
        EMPTY_CHAIN,
        locks=source.locks,
        source=source,
        receipts=_of(within, asked.receipts, unchecked),
        jobs=asked.jobs,
        strict=asked.strict,
        fast=asked.fast,
        progress=progress,
        begun=keeper.load() if keeper else None,
        keep=keeper.keep if keeper else None,
    )
    walk.go(NO_DEADLINE)
    if keeper:
        keeper.done()
    for failure in source.own_failures(strict=asked.strict):
        _add(walk.checker, failure)
    _exported(source, within, name, walk.checker)
    if not walk.checker.entries_checked and not walk.checker.failures_total:
        raise NotEvidence(f"{source.where} has no record in that range")
    above = Upwards(source, log, asked.trust, partial(_add, walk.checker))
    outside = above.look(walk.roots.last) if walk.roots.last else []
    _say_unchecked(walk, asked, outside, unchecked)
    checker = walk.checker
    return Audit(
        valid=checker.failures_total == 0,
        source=source.where,
        org_id=source.org_id,
        ledger_name=name,
        entries_checked=checker.entries_checked,
        first_sequence=walk.first,
        last_sequence=checker.next_sequence - 1,
        first_broken_at=checker.first_broken_at,
        verification_time_ms=round((time.monotonic() - began) * 1000),
        failures=checker.failures,
        failures_total=checker.failures_total,
        checkpoint=walk.roots.last,
        key=VerifierKey(name, key.public_key) if key and name else None,
        key_pinned=asked.key is not None,
        receipts=sum(len(held) for held in walk.receipts.values()),
        outside=outside,
        unchecked=unchecked,
    )


class _Clock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def sleep_ms(self, duration_ms: float) -> None:
        time.sleep(duration_ms / 1000)


def _range(source: Source, within: Range) -> Range:
    """A bundle that says where it ends is held to it."""
    if isinstance(source, BundleSource):
        end = source.manifest.last_sequence
        return replace(within, end_seq=min(within.end_seq or end, end))
    return within


def _log_files(source: Source, within: Range, key: Pinned | None, unchecked: list[str]) -> StoredLogFiles:
    if next(source.sizes(source.org_id, at_least=1), None) is None:
        unchecked.append("signed roots: the source has no checkpoint of this organisation")
        return NoLog()
    if key is None:
        unchecked.append("signatures and signed roots: no key was given, and the source names none; see --key")
        return NoLog()
    if isinstance(source, BundleSource) and not _whole(source, within):
        unchecked.append("signed roots: a bundle has what it takes for its own range only, not for a part of it")
        return NoLog()
    return source


def _whole(source: BundleSource, within: Range) -> bool:
    manifest = source.manifest
    begins = within.from_ms is None and (within.start_seq or 1) <= manifest.first_sequence
    return begins and within.to_ms is None and (within.end_seq or manifest.last_sequence) >= manifest.last_sequence


def _of(within: Range, receipts: Receipts, unchecked: list[str]) -> Receipts:
    """Those of the range: what lies outside of it is not looked at, and so not found missing."""
    first, last = within.start_seq or 1, within.end_seq
    if within.from_ms is not None or within.to_ms is not None:
        return receipts
    kept = {n: held for n, held in receipts.items() if n >= first and (last is None or n <= last)}
    left = sorted(receipts.keys() - kept.keys())
    if left:
        named = ", ".join(map(str, left[:5])) + (" and more" if len(left) > 5 else "")
        unchecked.append(f"receipts for records outside of the range: {named}")
    return kept


def _exported(source: Source, within: Range, name: str | None, checker: ChainChecker) -> None:
    """What the exporter saw and the bundle cannot show: a bundle that calls itself broken is not valid."""
    if not isinstance(source, BundleSource):
        return
    if name not in (None, source.manifest.ledger_name):
        detail = "the manifest names another ledger than the checkpoints, or than the key that you have pinned"
        _add(
            checker,
            Failure(FailureCode.CONTENT_MISMATCH, None, detail, expected=name, found=source.manifest.ledger_name),
        )
    seen = {(failure.code, failure.sequence) for failure in checker.failures}
    first, last = within.start_seq or 1, within.end_seq or source.manifest.last_sequence
    for found in source.manifest.exported.failures:
        if (found.code, found.sequence) not in seen and first <= (found.sequence or first) <= max(first, last):
            _add(checker, Failure(found.code, found.sequence, f"the exporter reported: {found.detail}"))


def _add(checker: ChainChecker, failure: Failure) -> None:
    checker.failures_total += 1
    if failure.sequence is not None:
        checker.first_broken_at = min(failure.sequence, checker.first_broken_at or failure.sequence)
    if len(checker.failures) < MAX_FAILURES:
        checker.failures.append(failure)


def _say_unchecked(walk: Strides, asked: Asked, outside: list[Outside], unchecked: list[str]) -> None:
    covered = walk.roots.last.size if walk.roots.last else 0
    end = walk.checker.next_sequence - 1
    promised = max((n for held in walk.receipts.values() for n in (promise.sequence for promise in held)), default=0)
    if max(covered, promised) < end and walk.asked.end_seq is None:
        unchecked.append(
            f"whether the chain went on after record {end}: no signed checkpoint or receipt reaches that far, and a "
            "chain does not notice that its end was cut off"
        )
    if not any(found.checked and found.kind != "ledger log" for found in outside):
        unchecked.append("when the records were made, beyond the ledger's own word: nobody outside vouches for it here")
    if not asked.strict:
        unchecked.append("what is inside the events (--strict parses every record wholly)")


def _about(source: Source, asked: Asked) -> str:
    held: Sequence[Promise] = [promise for _, several in sorted(asked.receipts.items()) for promise in several]
    key = asked.key.public_key.hex() if asked.key else ""
    return repr((source.fingerprint, asked.within, key, asked.strict, held))
