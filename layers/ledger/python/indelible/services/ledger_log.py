# SPDX-License-Identifier: Apache-2.0
"""The ledger's own log: every organisation's published checkpoints, under one more signed checkpoint.

    choose a batch ─▶ COMPARE-AND-SWAP it ─▶ stage tiles ─▶ sign ─▶ publish ─▶ proofs ─▶ say so ─▶ clear the outbox

Why in this order. The next leaves of an organisation's log follow from its records. These do not: a run takes what
waits at that moment, and two runs would take different leaves. So the batch itself is fixed in the register before
anything is written that depends on it. A run after a crash finds the same leaves, and with them the same tiles and the
same root. Nothing is signed that was not read: a batch that an earlier run fixed is read from the bucket again. Where
a file of another origin has the name of its checkpoint, a larger batch that begins with it is fixed instead: what may
have been signed for the smaller size stays the root of that size.

A leaf has its proof in its organisation's log before it leaves the outbox, and a leaf that has its proof is not taken
again. A checkpoint that is not what was signed is left out and logged: it stops its own organisation and no other.
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
"""Most leaves under one checkpoint, plus at most `MOST_FOREIGN` to get past names that are taken: until it is published
they are in one item of the table, which can have 400 KB."""
_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """What a run did."""

    tree_size: int
    """Leaves under the last published checkpoint."""
    leaves: int = 0
    """Leaves that this run added."""
    passes: int = 0
    """Checkpoints that it published."""
    refused: int = 0
    """Waiting checkpoints that are not what was signed."""
    behind_ms: int = 0
    """The age of the oldest checkpoint that still waits."""


class LedgerLog:
    """Adds to the ledger's own log; several may run at once. `workers` must not share a pool with `files`."""

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
        """Log what waits, or as much as the time allows: one batch at least. Publishes metrics.

        Raises HeadRegressed when the log in the bucket is ahead of the table, EvidenceBroken when a file of the log is
        not what was signed.
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
        # Every round comes here, even when nothing is recorded: a new key is pinned by the first round after its
        # deployment, and external anchoring, the next step, finds every statement that the deployment names.
        self._log.pin()
        state, foreign = self._log.confirm(
            LEDGER, self._register.read, lambda state: (state.published, state.tree_size), self._telemetry
        )
        report = LedgerReport(tree_size=state.published)
        while True:
            # The state is read before the outbox. A run that logs leaves in between moves the state, and the swap
            # fails: no leaf is taken twice.
            batch, refused = self._next_batch(state, foreign)
            report = replace(report, tree_size=state.published, refused=refused)
            if not batch:
                return self._with_lag(report)
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
                return self._with_lag(replace(report, tree_size=state.published))

    def _next_batch(self, state: LedgerState, foreign: frozenset[int]) -> tuple[tuple[LedgerLeaf, ...], int]:
        """The batch that an earlier run fixed, or one to fix, empty where nothing waits; and how many are refused."""
        fixed = self._reread(state.batch)
        if fixed and state.tree_size not in foreign:
            return fixed, 0
        fresh, refused = self._choose(without=frozenset(fixed))
        return _cut((*fixed, *fresh), len(fixed), state.published, foreign), refused

    def _choose(self, *, without: frozenset[LedgerLeaf]) -> tuple[tuple[LedgerLeaf, ...], int]:
        """Up to a batch of what waits, in the order of names and sizes; and how many are not what was signed."""
        fresh: list[LedgerLeaf] = []
        refused = 0
        taken = {(leaf.org_id, leaf.size) for leaf in without}
        waiting = (leaf for leaf in self._outbox.waiting() if (leaf.org_id, leaf.size) not in taken)
        while len(fresh) < BATCH_SIZE and (some := list(islice(waiting, _AT_ONCE))):
            logged: list[LedgerLeaf] = []
            for leaf, is_new in zip(
                some, self._workers.gather([partial(self._is_new, one) for one in some]), strict=True
            ):
                if isinstance(is_new, EvidenceBroken):
                    refused += 1
                    self._log_refusal(leaf.org_id, is_new)
                elif isinstance(is_new, Exception):
                    raise is_new
                else:
                    (fresh if is_new else logged).append(leaf)
            self._outbox.clear(logged)
        return tuple(sorted(fresh[:BATCH_SIZE])), refused

    def _is_new(self, leaf: LedgerLeaf) -> bool:
        """Whether the log does not include the leaf yet. Raises EvidenceBroken for one that it must not include."""
        proof = self._files.read(leaf.org_id, ledger_proof_path(leaf.size))
        if proof is not None and self._includes(proof, leaf):
            return False
        self._confirm(leaf)
        return True

    def _includes(self, proof: bytes, leaf: LedgerLeaf) -> bool:
        """Whether the proof verifies. Junk in its place keeps no checkpoint out of the log."""
        try:
            self._log.verify(LEDGER, parse_tlog_proof(proof), leaf.data)
        except (ValueError, EvidenceBroken):
            return False
        return True

    def _confirm(self, leaf: LedgerLeaf) -> None:
        """Read the checkpoint. Raises EvidenceBroken where it is not the one that the anchor published."""
        try:
            note = self._log.opened(leaf.org_id, leaf.size).note
        except ValueError as error:
            raise EvidenceBroken(f"the checkpoint of size {leaf.size}: {error}") from None
        if leaf_data(note) != leaf.data:
            raise EvidenceBroken(f"the checkpoint of size {leaf.size} is not the one that was published")

    def _reread(self, batch: tuple[LedgerLeaf, ...]) -> tuple[LedgerLeaf, ...]:
        """Confirm every leaf of a batch that an earlier run fixed; raise for one that is broken: its root is fixed."""
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
        """Stage, sign and publish what is fixed, and store the proofs; False when another run was faster."""
        until_ms = max(leaf.retain_until_ms for leaf in fixed.batch)
        self._log.stage(LEDGER, files, at_least_until_ms=until_ms)
        self._log.publish(LEDGER, grown, at_least_until_ms=until_ms)
        self._store_proofs(fixed)
        return self._register.advance(fixed, _published(fixed))

    def _store_proofs(self, fixed: LedgerState) -> None:
        """Store the proof of each leaf in the log of its organisation."""
        indices = range(fixed.published, fixed.tree_size)
        proofs = self._log.proofs(LEDGER, indices, size=fixed.tree_size)
        for proof, leaf in zip(proofs, fixed.batch, strict=True):
            self._log.verify(LEDGER, proof, leaf.data)
        for outcome in self._workers.gather(
            [
                partial(self._store, org_id, [(leaf, proof.data) for leaf, proof in pairs])
                for org_id, pairs in groupby(zip(fixed.batch, proofs, strict=True), key=lambda pair: pair[0].org_id)
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
            # Another file has the name of a proof. The leaf is in the log all the same, and the tiles prove it.
            self._telemetry.count("BrokenChain")
            self._log_refusal(org_id, error)

    def _log_refusal(self, org_id: str, error: EvidenceBroken) -> None:
        self._telemetry.note("not in the ledger's log", org_id=org_id, code=error.code, detail=error.message)

    def _with_lag(self, report: LedgerReport) -> LedgerReport:
        """The report with the age of what still waits, of the first `BATCH_SIZE` where there are more."""
        since_ms = (leaf.published_ms for leaf in islice(self._outbox.waiting(), BATCH_SIZE))
        return replace(report, behind_ms=_age_ms(since_ms, self._clock.now_ms()))


def _cut(batch: tuple[LedgerLeaf, ...], fixed: int, published: int, foreign: frozenset[int]) -> tuple[LedgerLeaf, ...]:
    """The batch, cut where the checkpoint gets a name that is free: after the leaves that are fixed, and no longer than
    `BATCH_SIZE` where that is possible.

    Empty where every name is taken: one more leaf makes another.
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
