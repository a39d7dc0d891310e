# SPDX-License-Identifier: Apache-2.0
"""Verify a source: its records, their order, every signed root, every receipt that the auditor has.

Invariant: `valid` is the API's verdict on what the source shows. What could not be checked is listed in `unchecked`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from indelible.audit import unchecked
from indelible.audit.anchor_search import AnchorSearch
from indelible.audit.anchors import ExternalAnchor, Trust
from indelible.audit.fast_walk import FastWalk
from indelible.audit.keys import Pinned, key_ring, ledger_name, stated_key
from indelible.audit.receipts import Receipts
from indelible.audit.resume import ProgressFile
from indelible.audit.source import NotEvidence, Published, Source, WalkSummary
from indelible.domain import record
from indelible.domain.audit_id import MAX_SEQUENCE
from indelible.domain.checkpoint import Checkpoint
from indelible.domain.findings import ExpectedHash, Failure, in_order
from indelible.domain.note import VerifierKey
from indelible.services.locate import Locator
from indelible.services.log import LEDGER, LogReader
from indelible.services.offline import NoLog, NoTable
from indelible.services.ranges import Range
from indelible.services.walk import NO_DEADLINE

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """What an auditor asks for, and what the source is checked against.

    `key` is pinned, `receipts` and `trust` come from elsewhere than the source. With `progress_file` an interrupted run
    can be continued. `fast=False` checks record by record in the API's own code, which gives the same verdict slowly.
    """

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
    """The verdict: the fields of the API's, and more.

    `key` is the one that signed roots were checked with, if there was one. `absent` is what was asked for and is not in
    the source. `resumed` is the first record that this run read, where an earlier run had read those before it;
    `read` is how many of the `entries_checked` this run read.
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
    request: AuditRequest,
    *,
    progress: Callable[[int, int | None], None] = lambda _, __: None,
    say: Callable[[str], None] = lambda _: None,
) -> Audit:
    """Check everything that the source shows of the range, in this order:

    1. the signing keys: which one is trusted, and whether signed roots can be checked with it;
    2. the records, in one walk: bytes, keys, order, links, times, locks and receipts; every signed root over them; and
       the proofs that the ledger's own log includes the signed checkpoints;
    3. the form of the source itself: the manifest of a bundle, and the files that it lists;
    4. the external anchors of the ledger's own log.

    A failure in one check does not stop the next. What could not be checked is listed in `unchecked`.

    `progress` is called as FastWalk says, `say` with lines for people that are not part of the verdict.
    Raises NotEvidence where nothing can be said about the source.
    """
    began = time.monotonic()
    _refuse_other_owners(source)
    scope = _scope(source, request)
    signing = _check_keys(source, request, scope)
    walk = _check_records(source, request, scope, signing, progress=progress, say=say)
    _check_source(source, request, scope, signing, walk)
    anchors = _check_anchors(source, request, signing, walk)
    checker, resumed = walk.checker, walk.resume_from
    return Audit(
        valid=checker.failures_total == 0,
        source=source.where,
        org_id=source.org_id,
        ledger_name=signing.ledger_name,
        entries_checked=checker.entries_checked,
        first_sequence=walk.first,
        last_sequence=checker.next_sequence - 1,
        first_broken_at=checker.first_broken_at,
        verification_time_ms=round((time.monotonic() - began) * 1000),
        failures=in_order(checker.failures),
        failures_total=checker.failures_total,
        checkpoint=walk.roots.last,
        key=signing.verifier_key,
        key_pinned=request.key is not None,
        receipts=len(walk.receipts_held),
        anchors=anchors,
        absent=unchecked.absent(source, request.within),
        unchecked=[*unchecked.limits(walk, signing.unchecked, anchors)],
        resumed=resumed.last.sequence + 1 if resumed else None,
        read=checker.entries_checked - (resumed.entries_checked if resumed else 0),
    )


@dataclass(frozen=True, slots=True)
class _Scope:
    """What is checked of the source: `within` ends where the source says that it ends.

    `whole`: the caller asked for everything that the source says that it has.
    """

    within: Range
    whole: bool


@dataclass(frozen=True, slots=True)
class _Signing:
    """The trusted key and a reader of the log under it. `unchecked`: what cannot be checked of keys and roots."""

    ledger_name: str | None
    key: Pinned | None
    log: LogReader
    unchecked: list[str]

    @property
    def verifier_key(self) -> VerifierKey | None:
        """None without a key, or a name for the ledger."""
        return VerifierKey(self.ledger_name, self.key.public_key) if self.key and self.ledger_name else None


def _refuse_other_owners(source: Source) -> None:
    """Only an organisation has records. Raises NotEvidence."""
    if source.org_id == LEDGER:
        raise NotEvidence(f"{LEDGER} is the ledger's own log and has no records: indelible checkpoint reads it")
    if not record.is_owner(source.org_id):
        raise NotEvidence(f"{source.where}: {source.org_id!r} is not the name of an organisation")


def _scope(source: Source, request: AuditRequest) -> _Scope:
    within = request.within
    if source.ends_at is not None:
        within = replace(within, end_seq=min(within.end_seq or source.ends_at, source.ends_at))
    return _Scope(within, _is_whole(source, request.within))


def _check_keys(source: Source, request: AuditRequest, scope: _Scope) -> _Signing:
    """Check 1: the key that the auditor pinned, or else the one that the source states, and those it leads to.

    Without a key, or where the source cannot show what it takes, signed roots are left unchecked.
    """
    key = request.key or stated_key(source)
    name = ledger_name(source, key)
    ring, unsure = key_ring(source, key, name or _UNKNOWN)
    rootless = unchecked.signed_roots(source, key, whole=scope.whole)
    files = NoLog() if rootless else Published(source)
    log = LogReader(files=files, ledger_name=ring.ledger_name, keys=lambda: ring)
    return _Signing(name, key, log, [*unsure, *rootless])


def _check_records(
    source: Source,
    request: AuditRequest,
    scope: _Scope,
    signing: _Signing,
    *,
    progress: Callable[[int, int | None], None],
    say: Callable[[str], None],
) -> FastWalk:
    """Check 2: one walk along the records, from where an earlier run stopped if its progress file says so."""
    path = request.progress_file
    progress_file = ProgressFile(path, _about(source, request), source.identity, say) if path else None
    walk = FastWalk(
        source,
        NoTable(),
        signing.log,
        _Clock(),
        source.org_id,
        scope.within,
        locks=source.locks,
        source=source,
        receipts=request.receipts,
        jobs=request.jobs,
        strict=request.strict,
        fast=request.fast,
        progress=progress,
        resume_from=progress_file.load() if progress_file else None,
        save=progress_file.save if progress_file else None,
    )
    walk.run(NO_DEADLINE)
    if progress_file:
        progress_file.remove()
    return walk


def _check_source(source: Source, request: AuditRequest, scope: _Scope, signing: _Signing, walk: FastWalk) -> None:
    """Check 3: the source's own form. Raises NotEvidence where it has neither records nor failures."""
    checker = walk.checker
    summary = WalkSummary(
        ledger_name=signing.ledger_name,
        first=walk.first,
        last=max(checker.next_sequence - 1, scope.within.end_seq or 0),
        entries=checker.entries_checked,
        found={(failure.code, failure.sequence) for failure in checker.failures},
        strict=request.strict,
        whole=scope.whole,
    )
    for failure in source.own_failures(summary):
        checker.take(failure)
    if not checker.entries_checked and not checker.failures_total:
        what = f"record of {source.org_id}" if request.within == Range() else "record in that range"
        raise NotEvidence(f"{source.where} has no {what}")


def _check_anchors(source: Source, request: AuditRequest, signing: _Signing, walk: FastWalk) -> list[ExternalAnchor]:
    """Check 4: what others vouch for, of the newest checkpoint that the records lead to and those before it."""
    newest = walk.roots.last
    top = walk.inclusion.top(newest.size) if newest else None
    if top is None:
        return []
    return AnchorSearch(source, signing.log, walk.inclusion, request.trust, walk.checker.take).search(
        top, first=walk.first
    )


def _is_whole(source: Source, within: Range) -> bool:
    """Whether the range is everything that the source says that it has."""
    begins, ends = (within.start_seq or 1) <= source.starts_at, source.ends_at is None or within.to_ms is None
    if begins and within.from_ms is not None:
        first = Locator(source, source.org_id).first_at_or_after(within.from_ms)
        begins = first is not None and first.sequence <= source.starts_at
    return begins and ends and (within.end_seq is None or within.end_seq >= (source.ends_at or MAX_SEQUENCE))


def _about(source: Source, request: AuditRequest) -> str:
    """What a progress file is about: another source or question gives another text."""
    held: Sequence[ExpectedHash] = [one for _, several in sorted(request.receipts.items()) for one in several]
    key = request.key.public_key.hex() if request.key else ""
    return repr((source.fingerprint, request.within, key, request.strict, held))


class _Clock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def sleep_ms(self, duration_ms: float) -> None:
        time.sleep(duration_ms / 1000)
