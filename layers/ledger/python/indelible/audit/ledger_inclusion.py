# SPDX-License-Identifier: Apache-2.0
"""Check the proofs that the ledger's own log includes an organisation's checkpoints.

Invariant: for a checkpoint that the records lead to, a proof that is there is checked (docs/format.md), as on the
evidence page. A checkpoint without a proof is not in the ledger's log yet, which is no failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from indelible.audit.source import ListedLogFiles
from indelible.domain.checkpoint import Checkpoint, SignedCheckpoint
from indelible.domain.findings import Failure, FailureCode
from indelible.domain.ledger import LEDGER_PROOFS, leaf_data, ledger_proof_path, parse_ledger_proof_path
from indelible.domain.note import BadSignature, Note, NoteError, NotSigned
from indelible.domain.proof import TlogProof, parse_tlog_proof
from indelible.errors import EvidenceBroken
from indelible.services.log import LEDGER, LogReader, checkpoint_path


@dataclass(frozen=True, slots=True)
class IncludedCheckpoint:
    """The organisation's checkpoint of `size`, proven to be a leaf of the ledger's log by its checkpoint `covering`."""

    size: int
    note: Note
    proof: TlogProof
    covering: Checkpoint


class LedgerInclusion:
    """For one walk. `report` is called with each failure, once for a size."""

    def __init__(self, files: ListedLogFiles, org_id: str, log: LogReader, report: Callable[[Failure], None]) -> None:
        self._files = files
        self._org_id = org_id
        self._log = log
        self._report = report
        self._proofs: Iterator[tuple[int, bytes]] | None = None
        self._next: tuple[int, bytes] | None = None
        self._looked_at: set[int] = set()
        self._top: IncludedCheckpoint | None = None

    def confirmed(self, signed: SignedCheckpoint) -> None:
        """Check the proof for a checkpoint that the records lead to, if there is one. Call it ascending by size."""
        size = signed.checkpoint.size
        if self._proofs is None:
            self._proofs = self._files.ledger_proofs(self._org_id, at_least=size)
            self._next = next(self._proofs, None)
        while self._next is not None and self._next[0] < size:
            self._next = next(self._proofs, None)
        if self._next is not None and self._next[0] == size:
            self._top = self._checked(size, signed.note, self._next[1]) or self._top

    def top(self, size: int) -> IncludedCheckpoint | None:
        """The largest checkpoint up to this size that the ledger's own log includes; None where it includes none.

        The largest that was passed to `confirmed`; if none of these is included, one from before the range.
        """
        if self._top is not None:
            return self._top
        sizes = map(parse_ledger_proof_path, self._files.names(self._org_id, LEDGER_PROOFS))
        for before in sorted({found for found in sizes if found is not None and found <= size}, reverse=True):
            found = None if before in self._looked_at else self.at(before)
            if found is not None:
                return found
        return None

    def at(self, size: int) -> IncludedCheckpoint | None:
        """The checkpoint of this size; None where there is no proof that the ledger's own log includes it."""
        data = self._files.read(self._org_id, ledger_proof_path(size))
        note = self._files.read(self._org_id, checkpoint_path(size))
        if data is None or note is None:
            return None
        self._looked_at.add(size)
        try:
            leaf = self._log.opened(self._org_id, size, note).note  # one from before the range was not opened yet
        except NoteError as error:
            unsigned = isinstance(error, (BadSignature, NotSigned))
            code = FailureCode.BAD_SIGNATURE if unsigned else FailureCode.CHECKPOINT_MISMATCH
            self._report(Failure(code, size, f"the checkpoint of size {size}: {error}"))
            return None
        return self._checked(size, leaf, data)

    def _checked(self, size: int, leaf: Note, data: bytes) -> IncludedCheckpoint | None:
        self._looked_at.add(size)
        try:
            proof = parse_tlog_proof(data)
            return IncludedCheckpoint(size, leaf, proof, self._log.verify(LEDGER, proof, leaf_data(leaf)))
        except (NoteError, EvidenceBroken) as error:
            detail = f"the proof that the ledger's log has this checkpoint: {error}"
            self._report(Failure(FailureCode.CHECKPOINT_MISMATCH, size, detail, s3_key=ledger_proof_path(size)))
            return None
