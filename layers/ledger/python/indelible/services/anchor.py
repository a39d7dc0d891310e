# SPDX-License-Identifier: Apache-2.0
"""The anchor: put an organisation's new records under a signed checkpoint (architecture §5).

    collect ─▶ stage tiles ─▶ COMPARE-AND-SWAP the register ─▶ sign ─▶ publish ─▶ ledger's outbox ─▶ clear the outbox

Why in this order. Staged files are create-only and follow from the records alone, so staging twice is harmless. The
swap fixes one root for one size before anything is signed, and only what was swapped in is signed: a size never gets a
second root. A run that finds the register ahead of the last published checkpoint repeats that step from records that
it reads again, and reaches the same root or stops. The outbox is cleared last: until then it may have the only copy of
a record that never reached the bucket.

A broken chain stops the anchor for its own organisation and no other; recording goes on.
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
"""Most records under one checkpoint. A run after a crash repeats at most so many."""


@dataclass(frozen=True, slots=True)
class AnchorReport:
    """What a run did for one organisation."""

    org_id: str
    tree_size: int
    """Records under the last published checkpoint."""
    records: int = 0
    """Records that this run anchored."""
    sealed: int = 0
    """Records that it sealed from the outbox."""
    repaired: int = 0
    """Entries of the index that it put back."""
    shadowed: int = 0
    """Records that a newer version or a delete marker hides."""
    outbox_age_ms: int = 0
    """The age of the oldest record that it sealed."""
    behind_ms: int | None = 0
    """The age of the first record that is left: 0 for none, None where neither the table nor the bucket has it."""
    broken: tuple[Failure, ...] = ()
    """Failures of the chain, which stopped the run."""


class Anchor:
    """Anchors one organisation at a time. Several anchors may run at once, even for the same organisation."""

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
        """Extend the organisation's log to its head, or as far as the time allows: one checkpoint at least.

        Raises HeadRegressed when the log or the bucket is ahead of the table, EvidenceBroken when a file of the log is
        not what was signed.
        """
        confirmed, foreign = self._log.confirm(
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
            if edge.size != state.tree_size:  # the first pass, or another run was faster
                edge = self._log.edge(org_id, state.tree_size)
            upper = _upper(state, head, foreign)
            if upper is None:  # every name is taken by a foreign file: one more record makes another
                return self._left_behind(report, state)
            collected = self._collector.collect(org_id, state.published, upper, head)
            report = _with(report, collected)
            if report.broken:
                return self._left_behind(report, state)
            leaves = [bytes.fromhex(entry.tx_hash) for entry in collected.records]
            if state.tail != state.published and upper != state.tail.sequence:
                _check_fixed_root(state, edge, leaves)
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
        """Sign and publish what is fixed; False when another run was faster."""
        note = self._log.publish(org_id, grown, at_least_until_ms=until_ms)
        # Before the register says that it is published: after a crash in between, the next run repeats both.
        self._outbox.put(
            LedgerLeaf(org_id, grown.size, leaf_data(note).hex(), until_ms, published_ms=self._clock.now_ms())
        )
        return self._register.advance(org_id, staged, replace(staged, published=staged.tail))

    def _clear(self, org_id: str, state: LogState, *, signed: int = 0) -> LogState:
        """Clear the outbox up to what is published, and note that in the register.

        The register alone is not enough: the checkpoint must be in the bucket, unless this run has published it itself,
        with the size `signed`. Raises EvidenceBroken.
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
        """The age of the first record that is not covered, or of the first of these that is found; None for none.

        A record is in the outbox until it is covered. After a loss of the table, its key in the bucket has its time.
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
        # The key may be foreign, and have any time. No record is older than its predecessor.
        since_ms = max(audit_ids.decode(found.audit_id).timestamp_ms, state.published.timestamp_ms)
        return max(0, self._clock.now_ms() - since_ms)


def _upper(state: LogState, head: Head, foreign: frozenset[int]) -> int | None:
    """The size of the next checkpoint: the fixed one, or up to `PASS_SIZE` more records.

    Where the name of the fixed one is taken by a foreign file, a larger size is fixed. None where every name is taken.
    """
    fixed = state.tail.sequence
    if state.tail != state.published and fixed not in foreign:
        return fixed
    return free_size(above=fixed, preferred=min(head.sequence, fixed + PASS_SIZE), end=head.sequence, taken=foreign)


def _check_fixed_root(state: LogState, edge: Edge, leaves: list[bytes]) -> None:
    """Raise EvidenceBroken unless a tree beyond a fixed root, which may be signed, contains that root."""
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
