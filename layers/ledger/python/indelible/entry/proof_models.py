# SPDX-License-Identifier: Apache-2.0
"""The parts of a response that are proofs: checkpoints, inclusion and consistency proofs, external anchors.

Invariant: each proof can be verified offline, with keys that the auditor holds. Field names are public and do not
change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from indelible.domain.receipt import Timestamp

if TYPE_CHECKING:
    from indelible.domain.checkpoint import Checkpoint

Count = Annotated[int, Meta(ge=0)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Base64 = Annotated[str, Meta(extra_json_schema={"contentEncoding": "base64"})]


class CheckpointModel(Struct, kw_only=True):
    """A signed statement of a log's size and root, whose signature was verified."""

    origin: Annotated[str, Meta(description="The log: `{ledger_name}/{org_id}`, or the ledger's: `{ledger_name}`.")]
    tree_size: Count
    root_hash: Annotated[Sha256, Meta(description="RFC 6962 root: over the records' tx_hash, or the ledger's leaves.")]

    @classmethod
    def of(cls, found: Checkpoint) -> CheckpointModel:
        """The model of a checkpoint."""
        return cls(origin=found.origin, tree_size=found.size, root_hash=found.root.hex())


class Inclusion(Struct, kw_only=True):
    """Inclusion of the record in its organisation's Merkle log, verifiable offline."""

    checkpoint: CheckpointModel
    leaf_index: Annotated[int, Meta(ge=0, description="The record's sequence less one.")]
    tlog_proof: Annotated[
        str, Meta(description="A proof file (c2sp.org/tlog-proof); /v1/keys has the key to verify it.")
    ]


class WitnessModel(Struct, kw_only=True):
    """A witness's cosignature, a line of the note in `tlog_proof`."""

    name: Annotated[str, Meta(description="The witness's key name.")]
    cosigned_at: Annotated[Timestamp, Meta(description="By the witness's clock.")]
    verified: Annotated[bool, Meta(description="The ledger knows this witness's key, and the cosignature is valid.")]


class TimestampModel(Struct, kw_only=True):
    """An RFC 3161 timestamp of the checkpoint."""

    authority: Annotated[str, Meta(description="The name that the operator gave it.")]
    token: Annotated[Base64, Meta(description="TimeStampResp (DER) over the bytes of `checkpoint_note`.")]
    gen_time: Annotated[Timestamp, Meta(description="By the authority's clock, as the token says.")]


class OpenTimestampModel(Struct, kw_only=True):
    """An OpenTimestamps proof of the checkpoint."""

    calendar: Annotated[str, Meta(description="The name that the operator gave it.")]
    status: Annotated[Literal["pending", "bitcoin"], Meta(description="pending: the calendar has not completed it.")]
    bitcoin_height: Annotated[int | None, Meta(description="The Bitcoin block that attests it.")]
    proof: Annotated[Base64, Meta(description="A detached `.ots` file over the bytes of `checkpoint_note`.")]


class LedgerInclusion(Struct, kw_only=True):
    """Inclusion of the organisation's checkpoint in the ledger's own log, with its external anchors."""

    leaf: Annotated[Sha256, Meta(description="The leaf: SHA-256 of the checkpoint in `inclusion.tlog_proof`.")]
    checkpoint: CheckpointModel
    leaf_index: Count
    tlog_proof: Annotated[
        str, Meta(description="A proof file as in `inclusion`, with the cosignatures after the ledger's signature.")
    ]
    checkpoint_note: Annotated[str, Meta(description="The checkpoint as published: the bytes that were timestamped.")]
    witnesses: list[WitnessModel]
    witnessed: Annotated[
        bool | None,
        Meta(description="Whether a quorum of known witnesses cosigned; null for a ledger without one."),
    ]
    timestamps: list[TimestampModel]
    opentimestamps: list[OpenTimestampModel]


class SignedCheckpointModel(Struct, kw_only=True):
    """A published checkpoint whose signature was verified."""

    note: Annotated[str, Meta(description="The content of `checkpoints/{tree_size}`.")]
    checkpoint: CheckpointModel


class ConsistencyResponse(Struct, kw_only=True):
    """Two checkpoints, and the proof that the tree of `new` extends that of `old`."""

    old: SignedCheckpointModel
    new: SignedCheckpointModel
    hashes: Annotated[list[Base64], Meta(description="The proof of RFC 9162 §2.1.4.1; empty for equal sizes.")]
