# SPDX-License-Identifier: Apache-2.0
"""The anchor's work: finish what recording left, and re-read what it covers.

    seal what the outbox still holds ─▶ re-read, re-hash, check links ─▶ advance LOG ─▶ clear the outbox

Invariant: LOG only ever moves over records that were read back from the bucket and found to continue the chain,
and an outbox entry is deleted only after that (G3). Any crash in between is finished by the next run: sealing and
clearing may be done twice without harm, and the advance is a compare-and-swap. A broken chain stops its own
organisation and nobody else.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from indelible.domain import record
from indelible.domain.chain import ChainChecker
from indelible.domain.findings import Failure, FailureCode, Promise
from indelible.domain.record import Head, Record, RecordKey
from indelible.ports import (
    Clock,
    Index,
    Journal,
    KeyVersions,
    LogHead,
    LogState,
    RecordStore,
    Telemetry,
    Workers,
)
from indelible.services.heads import confirmed_head, refuse_older
from indelible.services.specimen import specimen

PASS_SIZE = 1000
"""Records re-read between two advances: what a crash may make the next run repeat."""


@dataclass(frozen=True, slots=True)
class AnchorReport:
    """What a run did for one organisation. `broken` stops it; `behind_ms` is the age of what is left undone."""

    org_id: str
    tree_size: int
    records: int = 0
    sealed: int = 0
    repaired: int = 0
    shadowed: int = 0
    outbox_age_ms: int = 0
    behind_ms: int = 0
    broken: tuple[Failure, ...] = ()


class Anchor:
    """Works for one organisation at a time; several may run at once, even for the same one."""

    def __init__(
        self,
        *,
        records: RecordStore,
        journal: Journal,
        index: Index,
        log: LogHead,
        clock: Clock,
        workers: Workers,
        telemetry: Telemetry,
    ) -> None:
        self._records = records
        self._journal = journal
        self._index = index
        self._log = log
        self._clock = clock
        self._workers = workers
        self._telemetry = telemetry

    def run(self, org_id: str, *, deadline_ms: int) -> AnchorReport:
        """Bring the organisation's log up to its head, or as far as the time goes.

        Raises HeadRegressed when the log or the bucket is ahead of the table's head.
        """
        state = self._clear(org_id, self._log.read(org_id))
        head = confirmed_head(self._journal, self._records, org_id)
        refuse_older(state.tail, head)
        report = AnchorReport(org_id, tree_size=state.tree_size)
        while head.sequence > state.tree_size:
            if report.records and self._clock.now_ms() >= deadline_ms:
                return self._left_behind(report, state)
            covered, report = self._one_pass(org_id, state, head, report)
            if report.broken:
                return self._left_behind(report, state)
            advanced = LogState(tail=covered[-1].head, cleared=state.cleared)
            if self._log.advance(org_id, state, advanced):
                report = replace(report, records=report.records + len(covered))
                self._telemetry.count("RecordsAnchored", len(covered))
                state = self._clear(org_id, advanced)
            else:
                state = self._log.read(org_id)  # another run was faster; what it covered is covered
            report = replace(report, tree_size=state.tree_size)
        return report

    def _one_pass(
        self, org_id: str, state: LogState, head: Head, report: AnchorReport
    ) -> tuple[list[Record], AnchorReport]:
        """Seal, re-read and check the next records. `broken` in the report says that they must not be covered."""
        upper = min(head.sequence, state.tree_size + PASS_SIZE)
        keys = self._listed(org_id, state.tail, upper)
        present = {key.sequence for key, _ in keys}
        sealed = self._seal_waiting(org_id, [n for n in range(state.tree_size + 1, upper + 1) if n not in present])
        if sealed:
            keys = self._listed(org_id, state.tail, upper)
            oldest = min(entry.timestamp_ms for entry in sealed)
            age_ms = max(report.outbox_age_ms, self._clock.now_ms() - oldest)
            report = replace(report, sealed=report.sealed + len(sealed), outbox_age_ms=age_ms)
        checker = ChainChecker.following(org_id, state.tail)
        checker.promises[head.sequence] = Promise(head.sequence, head.tx_hash, "the table's head")
        read_back = self._records.read_all(entry for _, entry in keys)
        covered = [found for entry, stored in read_back if (found := checker.observe(specimen(entry, stored)))]
        checker.finish(last_sequence=upper)
        # A shadow hides a sealed version and changes nothing in it: it is announced, and the log goes on.
        for failure in checker.failures:
            self._telemetry.note(
                "verification failed",
                org_id=org_id,
                code=failure.code,
                sequence=failure.sequence,
                detail=failure.detail,
            )
        report = replace(
            report,
            shadowed=report.shadowed + sum(f.code is FailureCode.SHADOWED for f in checker.failures),
            broken=tuple(f for f in checker.failures if f.code is not FailureCode.SHADOWED),
        )
        if not report.broken:
            report = replace(report, repaired=report.repaired + self._index.repair(covered))
        return covered, report

    def _listed(self, org_id: str, tail: Head, upper: int) -> list[tuple[RecordKey, KeyVersions]]:
        """The record keys after the tail, up to a sequence."""
        listed: list[tuple[RecordKey, KeyVersions]] = []
        for entry in self._records.versions(org_id, after=record.key_after(org_id, tail)):
            key = record.parse_key(entry.s3_key)
            if key is None:
                continue  # not the anchor's to judge: verify reports strangers among the records
            if key.sequence > upper:
                break
            listed.append((key, entry))
        return listed

    def _seal_waiting(self, org_id: str, sequences: list[int]) -> list[Record]:
        """Seal those of the sequences that wait in the outbox.

        Raises what the first failed seal raised; the next run does the rest.
        """
        waiting = self._journal.outbox(org_id, sequences) if sequences else {}
        entries = [record.read(data) for data in waiting.values()]
        for result in self._workers.gather([partial(self._records.seal, entry) for entry in entries]):
            if isinstance(result, Exception):
                raise result
        return entries

    def _clear(self, org_id: str, state: LogState) -> LogState:
        """Empty the outbox up to what is covered, and remember that it is empty."""
        while state.cleared < state.tree_size:
            self._journal.clear(org_id, range(state.cleared + 1, state.tree_size + 1))
            cleared = replace(state, cleared=state.tree_size)
            state = cleared if self._log.advance(org_id, state, cleared) else self._log.read(org_id)
        return state

    def _left_behind(self, report: AnchorReport, state: LogState) -> AnchorReport:
        """With the age of the first record that is not covered: until it is, it is in the outbox."""
        first = state.tree_size + 1
        since_ms = state.tail.timestamp_ms
        waiting = self._journal.outbox(report.org_id, [first]).get(first)
        if waiting is not None:
            with suppress(record.UnknownFormat):
                since_ms = record.read(waiting).timestamp_ms
        return replace(report, behind_ms=self._clock.now_ms() - since_ms)
