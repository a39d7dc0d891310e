# SPDX-License-Identifier: Apache-2.0
"""The anchor: every organisation's new records under a signed checkpoint (architecture §5).

    collect ─▶ stage tiles ─▶ COMPARE-AND-SWAP the log ─▶ sign ─▶ publish ─▶ hand on ─▶ clear the outbox

Why in this order. Staged files are create-only and follow from the records alone, so staging twice is harmless. The
swap fixes one root for one size before anything is signed, and only what was swapped in is signed: a second root for
a size cannot be. Whoever finds the log ahead of what is published redoes exactly that step, from the last published
checkpoint and from records read again, and meets the same root or stops. The outbox is cleared last, because until
then it is the only copy of a record that never reached the bucket.

A broken chain stops its own organisation and nobody else; recording goes on.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from indelible.domain import audit_id as audit_ids
from indelible.domain import record, tiles
from indelible.domain.findings import Failure
from indelible.domain.ledger import LedgerLeaf, leaf_data
from indelible.domain.record import Head
from indelible.domain.tiles import EMPTY, Edge
from indelible.errors import EvidenceBroken
from indelible.ports import Clock, Journal, LedgerOutbox, LogHead, LogState, RecordStore, Telemetry
from indelible.services.collect import Collected, Collector
from indelible.services.heads import confirmed_head, refuse_older
from indelible.services.signed_log import SignedLog, free_size

PASS_SIZE = 1000
"""Records under one checkpoint at most: what a crash may make the next run repeat."""


@dataclass(frozen=True, slots=True)
class AnchorReport:
    """What a run did for one organisation. `broken` stops it.

    `behind_ms` is the age of what is left undone: 0 for nothing, None where neither the table nor the bucket has it.
    """

    org_id: str
    tree_size: int
    records: int = 0
    sealed: int = 0
    repaired: int = 0
    shadowed: int = 0
    outbox_age_ms: int = 0
    behind_ms: int | None = 0
    broken: tuple[Failure, ...] = ()


class Anchor:
    """Works for one organisation at a time; several may run at once, even for the same one."""

    def __init__(
        self,
        *,
        collector: Collector,
        log: SignedLog,
        register: LogHead,
        outbox: LedgerOutbox,
        journal: Journal,
        records: RecordStore,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._collector = collector
        self._log = log
        self._register = register
        self._outbox = outbox
        self._journal = journal
        self._records = records
        self._clock = clock
        self._telemetry = telemetry

    def run(self, org_id: str, *, deadline_ms: int) -> AnchorReport:
        """Bring the organisation's log up to its head, or as far as the time goes.

        Raises HeadRegressed when the log or the bucket is ahead of the table, EvidenceBroken when what is stored of
        the log is not what was signed.
        """
        confirmed, foreign = self._log.confirmed(
            org_id,
            lambda: self._register.read(org_id),
            lambda state: (state.tree_size, state.tail.sequence),
            self._telemetry,
        )
        state = self._clear(org_id, confirmed)
        head = confirmed_head(self._journal, self._records, org_id)
        refuse_older(state.tail, head)
        edge = EMPTY
        report = AnchorReport(org_id, tree_size=state.tree_size)
        first = True
        while head.sequence > state.tree_size:
            if not first and self._clock.now_ms() >= deadline_ms:
                return self._left_behind(report, state)
            first = False
            if edge.size != state.tree_size:  # the first pass, or another run was faster: what it covered is covered
                edge = self._log.edge(org_id, state.tree_size)
            upper = _upper(state, head, foreign)
            if upper is None:  # every place is taken by a file of somebody else: the next record makes another
                return self._left_behind(report, state)
            collected = self._collector.collect(org_id, state.published, upper, head)
            report = _with(report, collected)
            if report.broken:
                return self._left_behind(report, state)
            leaves = [bytes.fromhex(entry.tx_hash) for entry in collected.records]
            if state.tail != state.published and upper != state.tail.sequence:
                _refuse_another_root(state, edge, leaves)
            grown, files = tiles.grow(edge, leaves)
            until_ms = max(entry.retain_until_ms for entry in collected.records)
            self._log.stage(org_id, files, at_least_until_ms=until_ms)
            staged = replace(state, tail=collected.records[-1].head, root=grown.root().hex())
            if self._fix(org_id, state, staged) and self._publish(org_id, staged, grown, until_ms):
                self._telemetry.count("RecordsAnchored", len(collected.records))
                report = replace(report, records=report.records + len(collected.records))
                state = self._clear(org_id, replace(staged, published=staged.tail), signed=grown.size)
                edge = grown
            else:
                state = self._clear(org_id, self._register.read(org_id))
            report = replace(report, tree_size=state.tree_size)
        return report

    def behind_ms(self, org_id: str) -> int | None:
        """The age of the first record that no published checkpoint covers; None when none is known."""
        return self._uncovered_ms(org_id, self._register.read(org_id))

    def _fix(self, org_id: str, state: LogState, staged: LogState) -> bool:
        """Make this the one root for its size; False when another run was faster."""
        if state.tail == state.published or staged.tail.sequence > state.tail.sequence:
            return self._register.advance(org_id, state, staged)
        if staged != state:
            raise EvidenceBroken(f"{org_id}: the records up to {state.tail.sequence} lead to another root than before")
        return True

    def _publish(self, org_id: str, staged: LogState, grown: Edge, until_ms: int) -> bool:
        """Sign and publish what is fixed; False when another run has said so first."""
        note = self._log.publish(org_id, grown, at_least_until_ms=until_ms)
        # Before the register says so: a run that dies in between is redone, and with it this.
        self._outbox.put(
            LedgerLeaf(org_id, grown.size, leaf_data(note).hex(), until_ms, published_ms=self._clock.now_ms())
        )
        return self._register.advance(org_id, staged, replace(staged, published=staged.tail))

    def _clear(self, org_id: str, state: LogState, *, signed: int = 0) -> LogState:
        """Empty the outbox up to what is published, and remember that it is empty.

        The register alone empties nothing: the checkpoint must be there, unless it is the one of the size `signed`,
        which this run has published itself. Raises EvidenceBroken.
        """
        while state.cleared < state.tree_size:
            if state.tree_size != signed:
                signed = self._log.signed_root(org_id, state.tree_size).size
            self._journal.clear(org_id, range(state.cleared + 1, state.tree_size + 1))
            cleared = replace(state, cleared=state.tree_size)
            state = cleared if self._register.advance(org_id, state, cleared) else self._register.read(org_id)
        return state

    def _left_behind(self, report: AnchorReport, state: LogState) -> AnchorReport:
        return replace(report, behind_ms=self._uncovered_ms(report.org_id, state))

    def _uncovered_ms(self, org_id: str, state: LogState) -> int | None:
        """The age of the first record that is not covered, or of the first of them that is known; None for none known.

        Until it is covered it is in the outbox, but for that of a table that was lost; then its key has its time.
        """
        first = state.tree_size + 1
        waiting = self._journal.outbox(org_id, [first]).get(first)
        if waiting is not None:
            with suppress(record.UnknownFormat):
                return self._clock.now_ms() - record.read(waiting).timestamp_ms
        key = self._records.first_key_after(org_id, record.key_after(org_id, state.published))
        found = record.parse_key(key) if key else None
        if found is None:
            return None
        # A stranger's key may say anything; no record is older than the one before it.
        since_ms = max(audit_ids.decode(found.audit_id).timestamp_ms, state.published.timestamp_ms)
        return max(0, self._clock.now_ms() - since_ms)


def _upper(state: LogState, head: Head, foreign: frozenset[int]) -> int | None:
    """Where the next checkpoint ends: where an earlier run fixed it, or as far as a pass goes, in a place that is free.

    A root that was fixed for a place which has been taken since is left where it is, and one for a larger size fixed.
    """
    fixed = state.tail.sequence
    if state.tail != state.published and fixed not in foreign:
        return fixed
    return free_size(above=fixed, preferred=min(head.sequence, fixed + PASS_SIZE), end=head.sequence, taken=foreign)


def _refuse_another_root(state: LogState, edge: Edge, leaves: list[bytes]) -> None:
    """What goes beyond a root that was fixed, and perhaps signed, must contain it."""
    contained, _ = tiles.grow(edge, leaves[: state.tail.sequence - state.tree_size])
    if contained.root().hex() != state.root:
        raise EvidenceBroken(f"the records up to {state.tail.sequence} lead to another root than before")


def _with(report: AnchorReport, collected: Collected) -> AnchorReport:
    return replace(
        report,
        sealed=report.sealed + collected.sealed,
        repaired=report.repaired + collected.repaired,
        shadowed=report.shadowed + collected.shadowed,
        outbox_age_ms=max(report.outbox_age_ms, collected.outbox_age_ms),
        broken=collected.broken,
    )
