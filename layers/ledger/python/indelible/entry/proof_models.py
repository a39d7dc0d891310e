# SPDX-License-Identifier: Apache-2.0
"""The parts of an answer that prove something offline: checkpoints, places in logs, and what others say of them."""

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

    origin: Annotated[str, Meta(description="The log: `{ledger_name}/{org_id}`, or `{ledger_name}`.")]
    tree_size: Count
    root_hash: Annotated[Sha256, Meta(description="RFC 6962 root: over the records' tx_hash, or the ledger's leaves.")]

    @classmethod
    def of(cls, found: Checkpoint) -> CheckpointModel:
        """A checkpoint as every answer shows it."""
        return cls(origin=found.origin, tree_size=found.size, root_hash=found.root.hex())


class Inclusion(Struct, kw_only=True):
    """The record's place in its organisation's Merkle log, provable offline."""

    checkpoint: CheckpointModel
    leaf_index: Annotated[int, Meta(ge=0, description="The record's sequence less one.")]
    tlog_proof: Annotated[
        str, Meta(description="The content of a proof file (c2sp.org/tlog-proof); /v1/keys has the key for it.")
    ]


class WitnessModel(Struct, kw_only=True):
    """A cosignature, which is a line of the note in `tlog_proof`."""

    name: Annotated[str, Meta(description="The witness's key name.")]
    cosigned_at: Annotated[Timestamp, Meta(description="By the witness's clock.")]
    verified: Annotated[bool, Meta(description="The ledger knows this witness's key, and the line is good.")]


class TimestampModel(Struct, kw_only=True):
    """An RFC 3161 timestamp of the checkpoint."""

    authority: Annotated[str, Meta(description="As the ledger's operator calls it.")]
    token: Annotated[Base64, Meta(description="TimeStampResp (DER) over the bytes of `checkpoint_note`.")]
    gen_time: Annotated[Timestamp, Meta(description="By the authority's clock, as the token says.")]


class OpenTimestampModel(Struct, kw_only=True):
    """An OpenTimestamps proof of the checkpoint."""

    calendar: Annotated[str, Meta(description="As the ledger's operator calls it.")]
    status: Annotated[Literal["pending", "bitcoin"], Meta(description="pending: the calendar has not completed it.")]
    bitcoin_height: Annotated[int | None, Meta(description="The block that it leads to.")]
    proof: Annotated[Base64, Meta(description="A detached `.ots` file over the bytes of `checkpoint_note`.")]


class LedgerInclusion(Struct, kw_only=True):
    """The organisation's checkpoint in the ledger's own log, and what others say of that, provable offline."""

    leaf: Annotated[Sha256, Meta(description="The leaf: SHA-256 of the checkpoint in `inclusion.tlog_proof`.")]
    checkpoint: CheckpointModel
    leaf_index: Count
    tlog_proof: Annotated[
        str, Meta(description="A proof file as in `inclusion`; below the ledger's signature, the witnesses'.")
    ]
    checkpoint_note: Annotated[str, Meta(description="The checkpoint as it was published: what was timestamped.")]
    witnesses: list[WitnessModel]
    witnessed: Annotated[
        bool | None, Meta(description="Whether as many known witnesses cosigned as the ledger asks for; null: none.")
    ]
    timestamps: list[TimestampModel]
    opentimestamps: list[OpenTimestampModel]


class SignedCheckpointModel(Struct, kw_only=True):
    """A published checkpoint, whose signature was verified."""

    note: Annotated[str, Meta(description="The content of `checkpoints/{tree_size}`.")]
    checkpoint: CheckpointModel


class ConsistencyResponse(Struct, kw_only=True):
    """That the tree of `new` goes on from that of `old`."""

    old: SignedCheckpointModel
    new: SignedCheckpointModel
    hashes: Annotated[list[Base64], Meta(description="The proof of RFC 9162 §2.1.4.1; empty for equal sizes.")]
