# SPDX-License-Identifier: Apache-2.0
"""The ledger's own log: every organisation's published checkpoints, under one more signed checkpoint.

    choose a batch ─▶ COMPARE-AND-SWAP it ─▶ stage tiles ─▶ sign ─▶ publish ─▶ proofs ─▶ say so ─▶ clear the outbox

Why in this order. An organisation's next leaves follow from its records; these do not: whatever waits at that moment is
taken, and two runs would take different things. So the batch itself is fixed in the register before anything is written
that depends on it. Whoever comes after a crash finds the same leaves, and with them the same tiles and the same root.
Nothing is signed that was not read: a batch that was fixed earlier is read from the bucket again. Where somebody else's
file has the place of its checkpoint, it is left where it is, and one that goes on from it is fixed: what may have been
signed for the smaller size stays the root of that size.

A leaf has its proof in its organisation's log before the outbox forgets it, and what has its proof is not taken again.
A checkpoint that is not what was signed is left out and announced: one organisation's trouble is nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, islice

from indelible.domain import tiles
from indelible.domain.ledger import LedgerLeaf, leaf_data, ledger_proof_path
from indelible.domain.proof import parse_tlog_proof
from indelible.domain.tiles import Edge, File
from indelible.errors import EvidenceBroken, HeadRegressed, LedgerError
from indelible.ports import Clock, LedgerOutbox, LedgerRegister, LedgerState, LogFiles, Telemetry, Workers
from indelible.services.log import LEDGER
from indelible.services.signed_log import SignedLog, free_size

BATCH_SIZE = 1000
"""Leaves under one checkpoint at most, but for a way around files of others, of which there are `MOST_FOREIGN` at most:
until it is published they stand in one item of the table, which has 400 KB."""
_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """What a run did. `behind_ms` is the age of the oldest checkpoint that is still not covered.

    `refused` counts waiting checkpoints that are not what was signed.
    """

    tree_size: int
    leaves: int = 0
    passes: int = 0
    refused: int = 0
    behind_ms: int = 0


class LedgerLog:
    """Works on the one log; several may run at once. `workers` must not be those that `files` works with."""

    def __init__(
        self,
        *,
        log: SignedLog,
        files: LogFiles,
        register: LedgerRegister,
        outbox: LedgerOutbox,
        workers: Workers,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._log = log
        self._files = files
        self._register = register
        self._outbox = outbox
        self._workers = workers
        self._clock = clock
        self._telemetry = telemetry

    def run(self, *, deadline_ms: int) -> LedgerReport:
        """Cover what waits, or as much as the time allows, one batch at least; and say so in the metrics.

        Raises HeadRegressed when the log in the bucket is ahead of the table, EvidenceBroken when what is stored of it
        is not what was signed.
        """
        try:
            report = self._run(deadline_ms)
        except LedgerError as error:
            if isinstance(error, HeadRegressed):
                self._telemetry.count("HeadRegressed")
            self._telemetry.count("BrokenChain", int(isinstance(error, EvidenceBroken)))
            self._telemetry.note("the ledger's log stopped", code=error.code, detail=error.message)
            raise
        self._telemetry.count("BrokenChain", report.refused)
        self._telemetry.count("CheckpointsLogged", report.leaves)
        self._telemetry.count("LedgerLagSeconds", report.behind_ms / 1000, unit="Seconds")
        return report

    def _run(self, deadline_ms: int) -> LedgerReport:
        # Every round comes here, also when nobody records. So a new key is pinned by the round after its deployment,
        # and the external anchoring after this step finds every statement that the deployment names.
        self._log.pin()
        state, foreign = self._log.confirmed(
            LEDGER, self._register.read, lambda state: (state.published, state.tree_size), self._telemetry
        )
        report = LedgerReport(tree_size=state.published)
        while True:
            # The state was read before the outbox is: what another run covers in between has moved it, and the swap
            # fails, so that no leaf is taken twice.
            batch, refused = self._next(state, foreign)
            report = replace(report, tree_size=state.published, refused=refused)
            if not batch:
                return self._behind(report)
            edge = self._log.edge(LEDGER, state.published)
            grown, files = tiles.grow(edge, [leaf.data for leaf in batch])
            fixed = LedgerState(grown.size, grown.root().hex(), state.published, batch)
            if self._fix(state, fixed, edge) and self._publish(fixed, grown, files):
                report = replace(report, leaves=report.leaves + len(batch), passes=report.passes + 1)
                self._outbox.clear(batch)
                state = _published(fixed)
            else:
                state = self._register.read()
            if self._clock.now_ms() >= deadline_ms:
                return self._behind(replace(report, tree_size=state.published))

    def _next(self, state: LedgerState, foreign: frozenset[int]) -> tuple[tuple[LedgerLeaf, ...], int]:
        """The batch that an earlier run fixed, or one to fix; empty where there is none. And how many are refused."""
        fixed = self._read_back(state.batch)
        if fixed and state.tree_size not in foreign:
            return fixed, 0
        fresh, refused = self._chosen(without=frozenset(fixed))
        return _free((*fixed, *fresh), len(fixed), state.published, foreign), refused

    def _chosen(self, *, without: frozenset[LedgerLeaf]) -> tuple[tuple[LedgerLeaf, ...], int]:
        """What waits and is as it was signed, up to a batch, in the order of names and sizes; and how many are not."""
        fresh: list[LedgerLeaf] = []
        refused = 0
        taken = {(leaf.org_id, leaf.size) for leaf in without}
        waiting = (leaf for leaf in self._outbox.waiting() if (leaf.org_id, leaf.size) not in taken)
        while len(fresh) < BATCH_SIZE and (some := list(islice(waiting, _AT_ONCE))):
            covered: list[LedgerLeaf] = []
            for leaf, is_new in zip(
                some, self._workers.gather([partial(self._is_new, one) for one in some]), strict=True
            ):
                if isinstance(is_new, EvidenceBroken):
                    refused += 1
                    self._announce(leaf.org_id, is_new)
                elif isinstance(is_new, Exception):
                    raise is_new
                else:
                    (fresh if is_new else covered).append(leaf)
            self._outbox.clear(covered)
        return tuple(sorted(fresh[:BATCH_SIZE])), refused

    def _is_new(self, leaf: LedgerLeaf) -> bool:
        """Whether the log does not hold the leaf yet. Raises EvidenceBroken for a checkpoint that it must not hold."""
        proof = self._files.read(leaf.org_id, ledger_proof_path(leaf.size))
        if proof is not None and self._holds(proof, leaf):
            return False
        self._confirm(leaf)
        return True

    def _holds(self, proof: bytes, leaf: LedgerLeaf) -> bool:
        """Junk in the place of a proof does not keep a checkpoint out."""
        try:
            self._log.verified(LEDGER, parse_tlog_proof(proof), leaf.data)
        except (ValueError, EvidenceBroken):
            return False
        return True

    def _confirm(self, leaf: LedgerLeaf) -> None:
        """Read the checkpoint, and find in it what the anchor published."""
        try:
            note = self._log.opened(leaf.org_id, leaf.size).note
        except ValueError as error:
            raise EvidenceBroken(f"the checkpoint of size {leaf.size}: {error}") from None
        if leaf_data(note) != leaf.data:
            raise EvidenceBroken(f"the checkpoint of size {leaf.size} is not the one that was published")

    def _read_back(self, batch: tuple[LedgerLeaf, ...]) -> tuple[LedgerLeaf, ...]:
        """The batch that an earlier run fixed, read again. Raises EvidenceBroken: its root is fixed, too."""
        for outcome in self._workers.gather([partial(self._confirm, leaf) for leaf in batch]):
            if isinstance(outcome, Exception):
                raise outcome
        return batch

    def _fix(self, state: LedgerState, fixed: LedgerState, edge: Edge) -> bool:
        """Make this the one tree of its size, after this edge; False when another run was faster."""
        contained, _ = tiles.grow(edge, [leaf.data for leaf in state.batch])
        if state.batch and (contained.size, contained.root().hex()) != (state.tree_size, state.root):
            raise EvidenceBroken(f"the leaves up to {state.tree_size} lead to another root than before")
        return fixed == state or self._register.advance(state, fixed)

    def _publish(self, fixed: LedgerState, grown: Edge, files: Sequence[File]) -> bool:
        """Stage, sign and publish what is fixed, and prove it to its organisations; False when another run said so."""
        until_ms = max(leaf.retain_until_ms for leaf in fixed.batch)
        self._log.stage(LEDGER, files, at_least_until_ms=until_ms)
        self._log.publish(LEDGER, grown, at_least_until_ms=until_ms)
        self._prove(fixed)
        return self._register.advance(fixed, _published(fixed))

    def _prove(self, fixed: LedgerState) -> None:
        """Give each organisation the proofs of its checkpoints, below its own log."""
        indices = range(fixed.published, fixed.tree_size)
        proofs = self._log.proofs(LEDGER, indices, size=fixed.tree_size)
        for proof, leaf in zip(proofs, fixed.batch, strict=True):
            self._log.verified(LEDGER, proof, leaf.data)
        for outcome in self._workers.gather(
            [
                partial(self._store, org_id, [(leaf, proof.data) for leaf, proof in its])
                for org_id, its in groupby(zip(fixed.batch, proofs, strict=True), key=lambda pair: pair[0].org_id)
            ]
        ):
            if isinstance(outcome, Exception):
                raise outcome

    def _store(self, org_id: str, proofs: Sequence[tuple[LedgerLeaf, bytes]]) -> None:
        until_ms = max(leaf.retain_until_ms for leaf, _ in proofs)
        files = [File(ledger_proof_path(leaf.size), data) for leaf, data in proofs]
        try:
            self._log.stage(org_id, files, at_least_until_ms=until_ms)
        except EvidenceBroken as error:
            # Somebody put something else there. The leaf is in the log for all that; the tiles prove it to anybody.
            self._telemetry.count("BrokenChain")
            self._announce(org_id, error)

    def _announce(self, org_id: str, error: EvidenceBroken) -> None:
        self._telemetry.note("not in the ledger's log", org_id=org_id, code=error.code, detail=error.message)

    def _behind(self, report: LedgerReport) -> LedgerReport:
        """With the age of what still waits: of the first of it, where there is much."""
        since_ms = (leaf.published_ms for leaf in islice(self._outbox.waiting(), BATCH_SIZE))
        return replace(report, behind_ms=_age_ms(since_ms, self._clock.now_ms()))


def _free(batch: tuple[LedgerLeaf, ...], fixed: int, published: int, foreign: frozenset[int]) -> tuple[LedgerLeaf, ...]:
    """As many of them as end in a place that is free, more than are fixed, and no more than a batch where that can be.

    None where every place is taken: the next leaf makes another.
    """
    size = free_size(
        above=published + fixed,
        preferred=published + min(len(batch), BATCH_SIZE),
        end=published + len(batch),
        taken=foreign,
    )
    return () if size is None else batch[: size - published]


def _published(fixed: LedgerState) -> LedgerState:
    return replace(fixed, published=fixed.tree_size, batch=())


def _age_ms(since_ms: Iterable[int], now_ms: int) -> int:
    return max((now_ms - since for since in since_ms), default=0)
