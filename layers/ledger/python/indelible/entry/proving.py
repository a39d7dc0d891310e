# SPDX-License-Identifier: Apache-2.0
"""POST /v1/prove, POST /v1/consistency and get_audit_proof: one record with its proofs, and that a log only grew.

Invariant: an organisation is shown its own records only; a record of another one is not found, like one that does not
exist.
"""

from __future__ import annotations

import base64

import msgspec
from msgspec import UNSET, Struct

from indelible.domain import event, instants
from indelible.domain.canonical import JsonObject
from indelible.domain.checkpoint import SignedCheckpoint
from indelible.entry.gate import RequestGate
from indelible.entry.limits import PROOF_COST
from indelible.entry.models import ConsistencyRequest, ProveRequest, ProveResponse, Storage
from indelible.entry.operations import Caller, Routes
from indelible.entry.proof_models import (
    CheckpointModel,
    ConsistencyResponse,
    Inclusion,
    LedgerInclusion,
    OpenTimestampModel,
    SignedCheckpointModel,
    TimestampModel,
    WitnessModel,
)
from indelible.errors import InvalidField, MissingField
from indelible.services.consistency import Consistency
from indelible.services.ledger_proof import LedgerProof
from indelible.services.log import LEDGER
from indelible.services.prove import Proof, Prover


class ProofApi:
    """Operations that prove."""

    def __init__(self, *, gate: RequestGate, prover: Prover, consistency: Consistency) -> None:
        self._gate = gate
        self._prover = prover
        self._consistency = consistency
        self.routes: Routes = {"POST /v1/prove": self.prove, "POST /v1/consistency": self.prove_consistency}

    def prove(self, arguments: JsonObject, caller: Caller) -> ProveResponse:
        """One record with its receipt and what S3 says about it now."""
        request, org = self._gate.admit(arguments, caller, _parse_lookup, writes=False, cost=PROOF_COST)
        proof = self._prover.prove(
            org.org_id,
            audit_id=None if request.audit_id is UNSET else request.audit_id,
            tx_hash=None if request.tx_hash is UNSET else request.tx_hash,
        )
        stored, entry = proof.stored, proof.record
        governor = msgspec.json.decode(entry.data, type=_GovernorSignature)
        return ProveResponse(
            audit_id=entry.audit_id,
            tx_hash=entry.tx_hash,
            block_height=proof.checkpoint.size if proof.checkpoint else None,
            timestamp=instants.to_text(entry.timestamp_ms),
            governor_key_id=governor.governor_key_id,
            governor_signature=governor.governor_signature,
            record=msgspec.Raw(entry.data),
            receipt=proof.receipt,
            storage=Storage(
                s3_key=stored.s3_key,
                version_id=stored.version_id,
                lock_mode=stored.lock.mode if stored.lock else None,
                retain_until=instants.to_text(stored.lock.retain_until_ms) if stored.lock else None,
                sha256=stored.sha256,
                shadowed_by=list(stored.shadows),
            ),
            anchoring="anchored" if proof.inclusion else "pending",
            inclusion=_inclusion(proof),
            ledger=_ledger_inclusion(proof.ledger) if proof.ledger else None,
            next_anchor_at=instants.to_text(proof.next_anchor_ms) if proof.next_anchor_ms is not None else None,
        )

    def prove_consistency(self, arguments: JsonObject, caller: Caller) -> ConsistencyResponse:
        """Two published checkpoints of a log, and the proof that the later one extends the earlier."""
        request, org = self._gate.admit(arguments, caller, _parse_sizes, writes=False, cost=PROOF_COST)
        owner = LEDGER if request.log == "ledger" else org.org_id
        found = self._consistency.between(owner, request.old_size, request.new_size)
        return ConsistencyResponse(
            old=_checkpoint(found.old), new=_checkpoint(found.new), hashes=[_base64(one) for one in found.hashes]
        )


class _GovernorSignature(Struct):
    """The signature in a stored record; receipts do not show it."""

    governor_key_id: str
    governor_signature: str


def _parse_lookup(arguments: JsonObject) -> ProveRequest:
    request = event.validate(arguments, ProveRequest)
    if request.audit_id is UNSET and request.tx_hash is UNSET:
        raise MissingField("name the record by audit_id or by tx_hash", field="audit_id")
    if request.audit_id is not UNSET and request.tx_hash is not UNSET:
        raise InvalidField("name the record by audit_id or by tx_hash, not by both", field="tx_hash")
    return request


def _parse_sizes(arguments: JsonObject) -> ConsistencyRequest:
    return event.validate(arguments, ConsistencyRequest)


def _inclusion(proof: Proof) -> Inclusion | None:
    if proof.inclusion is None or proof.checkpoint is None:
        return None
    return Inclusion(
        checkpoint=CheckpointModel.of(proof.checkpoint),
        leaf_index=proof.inclusion.index,
        tlog_proof=proof.inclusion.data.decode(),
    )


def _ledger_inclusion(proof: LedgerProof) -> LedgerInclusion:
    anchors = proof.anchors
    return LedgerInclusion(
        leaf=proof.leaf.hex(),
        checkpoint=CheckpointModel.of(proof.checkpoint),
        leaf_index=proof.proof.index,
        tlog_proof=proof.proof.data.decode(),
        checkpoint_note=proof.published.data.decode(),
        witnesses=[
            WitnessModel(name=one.name, cosigned_at=instants.to_text(one.cosigned_at_ms), verified=one.verified)
            for one in anchors.witnesses
        ],
        witnessed=anchors.witnessed,
        timestamps=[
            TimestampModel(
                authority=one.authority, token=_base64(one.token), gen_time=instants.to_text(one.gen_time_ms)
            )
            for one in anchors.timestamps
        ],
        opentimestamps=[
            OpenTimestampModel(
                calendar=one.calendar,
                status="pending" if one.bitcoin_height is None else "bitcoin",
                bitcoin_height=one.bitcoin_height,
                proof=_base64(one.proof),
            )
            for one in anchors.opentimestamps
        ],
    )


def _checkpoint(found: SignedCheckpoint) -> SignedCheckpointModel:
    return SignedCheckpointModel(note=found.note.data.decode(), checkpoint=CheckpointModel.of(found.checkpoint))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
