# SPDX-License-Identifier: Apache-2.0
"""Prove one record: its bytes, read and hashed again, and its place in the signed logs.

Writes nothing. The index is only a hint: whatever it says, the answer is what the bucket has under the key that the
audit_id itself names, within the caller's organisation.
"""

from __future__ import annotations

from dataclasses import dataclass

from indelible.domain import audit_id as audit_ids
from indelible.domain import record
from indelible.domain.checkpoint import Checkpoint
from indelible.domain.proof import TlogProof
from indelible.domain.receipt import Receipt
from indelible.domain.record import Record
from indelible.errors import EvidenceBroken, NotFound, NotSealed
from indelible.ports import Index, Journal, RecordStore, StoredVersion
from indelible.services.ledger_proof import LedgerProof, LedgerProver
from indelible.services.log import LogReader
from indelible.services.record_check import read_intact
from indelible.services.timetable import Timetable


@dataclass(frozen=True, slots=True)
class Proof:
    """A record as it is stored, and its proof."""

    record: Record
    stored: StoredVersion
    receipt: Receipt
    inclusion: TlogProof | None
    """In the organisation's log; None until a checkpoint covers the record."""
    checkpoint: Checkpoint | None
    """The first that covers the record."""
    ledger: LedgerProof | None
    """That checkpoint in the ledger's own log; None until that covers it."""
    next_anchor_ms: int | None
    """When to ask again for an inclusion proof (Unix milliseconds); None where there is one, or that is not known."""


class Prover:
    """Proves one record at a time."""

    def __init__(
        self,
        *,
        records: RecordStore,
        index: Index,
        journal: Journal,
        log: LogReader,
        ledger_prover: LedgerProver,
        timetable: Timetable,
    ) -> None:
        self._log = log
        self._ledger_prover = ledger_prover
        self._timetable = timetable
        self._records = records
        self._index = index
        self._journal = journal

    def prove(self, org_id: str, *, audit_id: str | None = None, tx_hash: str | None = None) -> Proof:
        """The record with this id or hash.

        Raises:
            NotFound: no such record in this organisation; a malformed id is simply not found.
            NotSealed: the record is committed, and not in the bucket yet.
            EvidenceBroken: what is stored is not what was recorded, or not what was signed.
        """
        if audit_id is None and tx_hash is not None:
            audit_id = self._index.find(org_id, tx_hash)
        if audit_id is None:
            raise _not_found()
        try:
            sequence = audit_ids.decode(audit_id).sequence
            key = record.key_for(org_id, audit_id)
        except ValueError:
            raise _not_found() from None
        stored = self._records.oldest(key)
        if stored is None:
            self._refuse_unsealed(org_id, audit_id, sequence)
            # Neither in the bucket nor in the outbox: it may have been sealed and cleared in between.
            stored = self._records.oldest(key)
        if stored is None:
            raise _not_found()
        entry = read_intact(stored)
        if tx_hash is not None and tx_hash != entry.tx_hash:
            raise EvidenceBroken(f"the object {key} does not have this hash; indelible verify finds out more")
        inclusion, checkpoint, ledger = self._log.proof(org_id, entry.sequence - 1), None, None
        if inclusion is not None:
            leaf, made_ms = bytes.fromhex(entry.tx_hash), entry.timestamp_ms
            checkpoint = self._log.verify(org_id, inclusion, leaf, recorded_ms=made_ms)
            ledger = self._ledger_prover.prove(org_id, inclusion.checkpoint, size=checkpoint.size)
        return Proof(
            record=entry,
            stored=stored,
            receipt=Receipt.of(entry, stored.version_id),
            inclusion=inclusion,
            checkpoint=checkpoint,
            ledger=ledger,
            next_anchor_ms=None if inclusion else self._timetable.next_ms(),
        )

    def _refuse_unsealed(self, org_id: str, audit_id: str, sequence: int) -> None:
        waiting = self._journal.outbox(org_id, [sequence]).get(sequence)
        if waiting is not None and record.read(waiting).audit_id == audit_id:
            raise NotSealed("committed, but not stored in the bucket yet; try again in a moment", audit_id=audit_id)


def _not_found() -> NotFound:
    return NotFound("no such record in this organisation")
