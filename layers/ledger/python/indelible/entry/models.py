# SPDX-License-Identifier: Apache-2.0
"""Requests and answers, shared by REST and MCP. Validation, JSON Schema and OpenAPI come from these definitions.

Field names are binding: customers have been shown them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from indelible.domain.event import Event
from indelible.domain.findings import FailureCode
from indelible.domain.receipt import AuditId, Receipt, S3Key, Timestamp, TxHash, VersionId
from indelible.domain.record import ORG_ID
from indelible.entry.proof_models import CheckpointModel, Count, Inclusion, LedgerInclusion

# Python's $ alone lets a last newline by; ECMAScript's, which JSON Schema means, does not.
OrgId = Annotated[
    str, Meta(pattern=rf"^{ORG_ID}$(?!\n)", description="Your organisation in the ledger.", examples=["acme-corp"])
]
Signature = Annotated[
    str,
    Meta(
        max_length=256,
        description="hex HMAC-SHA256(your secret, RFC 8785 serialization of all arguments but this one).",
    ),
]
KeyId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="Which of your active keys signed; the newest when absent.",
        examples=["k1"],
    ),
]
Instant = Annotated[datetime, Meta(tz=True, description="RFC 3339, for example 2026-03-20T14:22:01.481Z.")]
SignedAt = Annotated[datetime, Meta(tz=True, description="When it was signed (RFC 3339): within five minutes.")]
IdempotencyKey = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=256,
        description="A retry with the same key and event gets the same receipt, for 30 days.",
    ),
]
MAX_SEQUENCE = 999_999_999_999
Sequence = Annotated[int, Meta(ge=1, le=MAX_SEQUENCE, description="A place in the chain; written without a fraction.")]
TreeSize = Annotated[int, Meta(ge=1, le=MAX_SEQUENCE, description="Of a published checkpoint.")]
MAX_BATCH = 100


class Identity(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who asks."""

    org_id: OrgId
    signature: Signature | UnsetType = UNSET
    key_id: KeyId | UnsetType = UNSET
    signed_at: SignedAt | UnsetType = UNSET


# A struct has one base only: the members of Identity stand here again.
class RecordRequest(Event, kw_only=True, forbid_unknown_fields=True):
    """One event to record."""

    org_id: OrgId
    signature: Signature | UnsetType = UNSET
    key_id: KeyId | UnsetType = UNSET
    signed_at: SignedAt | UnsetType = UNSET
    idempotency_key: IdempotencyKey | UnsetType = UNSET


class BatchRequest(Identity, kw_only=True, forbid_unknown_fields=True):
    """Events to record one after another, in one call."""

    events: Annotated[list[Event], Meta(min_length=1, max_length=MAX_BATCH, description="Recorded in this order.")]
    idempotency_key: IdempotencyKey | UnsetType = UNSET


class ProveRequest(Identity, kw_only=True, forbid_unknown_fields=True):
    """Which record: by exactly one of the two."""

    # Anything may be asked for: what cannot be an id is not found, like an id that does not exist.
    audit_id: (
        Annotated[str, Meta(min_length=1, max_length=64, description="As in the receipt. Or give tx_hash.")] | UnsetType
    ) = UNSET
    tx_hash: (
        Annotated[str, Meta(min_length=1, max_length=64, description="As in the receipt. Or give audit_id.")]
        | UnsetType
    ) = UNSET


class VerifyRequest(Identity, kw_only=True, forbid_unknown_fields=True):
    """Which part of the chain; both ends are included, nothing means all of it."""

    start_seq: Sequence | UnsetType = UNSET
    end_seq: Sequence | UnsetType = UNSET
    from_: Instant | UnsetType = msgspec.field(name="from", default=UNSET)
    to: Instant | UnsetType = UNSET


class ConsistencyRequest(Identity, kw_only=True, forbid_unknown_fields=True):
    """Two published checkpoints of a log."""

    old_size: TreeSize
    new_size: TreeSize
    log: Annotated[
        Literal["organisation", "ledger"],
        Meta(description="Your organisation's own log, or the ledger's over all of them."),
    ] = "organisation"


class RecordResponse(Struct, kw_only=True):
    """The event is sealed."""

    receipt: Receipt
    status: Literal["recorded"] = "recorded"


class BatchResponse(Struct, kw_only=True):
    """All events are sealed; receipts in the order of the events."""

    receipts: Annotated[list[Receipt], Meta(min_length=1, max_length=MAX_BATCH)]
    status: Literal["recorded"] = "recorded"


class Storage(Struct, kw_only=True):
    """What S3 says about the object now."""

    s3_key: S3Key
    version_id: VersionId
    lock_mode: Annotated[str | None, Meta(description="null: the object is not locked.")]
    retain_until: Annotated[str | None, Meta(description="When the lock ends.")]
    sha256: Annotated[str | None, Meta(description="The checksum that S3 keeps beside the bytes, hex.")]
    shadowed_by: Annotated[list[str], Meta(description="Newer versions or delete markers laid over the sealed one.")]


class ProveResponse(Struct, kw_only=True):
    """One record, its receipt, and what S3 says about the object now."""

    audit_id: AuditId
    tx_hash: TxHash
    block_height: Annotated[
        int | None, Meta(description="Tree size of the first signed checkpoint that covers the record; null before.")
    ]
    timestamp: Timestamp
    governor_key_id: str
    governor_signature: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="HMAC by the ledger's own key.")]
    record: Annotated[
        msgspec.Raw,
        Meta(
            description="The stored record itself; the SHA-256 of its RFC 8785 serialization is tx_hash.",
            extra_json_schema={"type": "object"},
        ),
    ]
    receipt: Receipt
    storage: Storage
    anchoring: Annotated[
        Literal["pending", "anchored"], Meta(description="pending: the next scheduled checkpoint will cover it.")
    ]
    inclusion: Annotated[Inclusion | None, Meta(description="null while anchoring is pending.")] = None
    ledger: Annotated[
        LedgerInclusion | None, Meta(description="The way up; null until the ledger's own log has the checkpoint.")
    ] = None
    next_anchor_at: Annotated[
        str | None, Meta(description="While pending: when the next run is due, where that is known.")
    ] = None


class FailureModel(Struct, kw_only=True, omit_defaults=True):
    """One thing that is wrong, and where."""

    code: FailureCode
    sequence: int | None
    detail: Annotated[str, Meta(description="For people; may change.")]
    through: Annotated[int | None, Meta(description="Ends a run of sequences that began with `sequence`.")] = None
    s3_key: str | None = None
    version_id: str | None = None
    expected: str | None = None
    found: str | None = None


class VerifyResponse(Struct, kw_only=True):
    """The verdict over a range, with everything that is wrong in it."""

    valid: Annotated[
        bool | None, Meta(description="null: time ran out, with nothing wrong so far; ask again from next_seq.")
    ]
    entries_checked: Count
    first_broken_at: Annotated[int | None, Meta(description="The lowest sequence among the failures.")]
    verification_time_ms: Count
    failures: Annotated[
        list[FailureModel],
        Meta(max_length=1000, description="A thousand at most, by sequence; those without one last."),
    ]
    failures_total: Count
    pending: Annotated[list[int], Meta(description="Committed a moment ago and not sealed yet; no failure.")]
    complete: Annotated[bool, Meta(description="Whether the whole range was checked.")]
    next_seq: Annotated[int | None, Meta(description="Where to go on when it was not.")]
    checkpoint: Annotated[
        CheckpointModel | None, Meta(description="The last signed root that the records read were held against.")
    ] = None


class HealthResponse(Struct, kw_only=True):
    """Whether the ledger can reach its evidence."""

    status: Literal["healthy", "unhealthy"]
    server: Literal["indelible"] = "indelible"
    version: Annotated[str, Meta(description="Of the ledger's code.", examples=["1.0.0"])]
    tools_available: Annotated[int, Meta(ge=0, description="MCP tools behind POST /mcp.", examples=[3])]
    s3_connected: Annotated[bool, Meta(description="Whether the bucket answered within the last seconds.")]


class SigningKey(Struct, kw_only=True):
    """One public key, in the two forms that tools read."""

    key_id: Annotated[str, Meta(pattern="^[0-9a-f]{8}$", description="The key hash of C2SP signed notes.")]
    algorithm: Literal["Ed25519"] = "Ed25519"
    verifier_key: Annotated[str, Meta(description="name+hash+base64, as note verifiers and witnesses take it.")]
    public_key_pem: Annotated[str, Meta(description="SubjectPublicKeyInfo, as `openssl pkey -pubin` reads it.")]
    origin: Annotated[str, Meta(description="The key name on signature lines: the name of the ledger.")]
    generation: Annotated[int, Meta(ge=1, description="1 for the ledger's first key; each rotation adds one.")]
    valid_from: Annotated[str | None, Meta(description="RFC 3339. Null, like statement, before the first anchoring.")]
    valid_until: Annotated[
        str | None, Meta(description="It must not sign for records made then or later. Null for the key in use.")
    ]
    statement: Annotated[str | None, Meta(description="The signed note that pins the key (docs/format.md).")]


class SecondKey(Struct, kw_only=True):
    """The key of the second, post-quantum line below checkpoints. No statement pins it."""

    key_id: Annotated[str, Meta(pattern="^[0-9a-f]{8}$", description="The key hash of C2SP signed notes.")]
    algorithm: Literal["ML-DSA-44"] = "ML-DSA-44"
    verifier_key: Annotated[str, Meta(description="name+hash+base64, of the kind 0x06 (c2sp.org/tlog-cosignature).")]
    origin: Annotated[str, Meta(description="The key name on signature lines: the name of the ledger.")]


class KeysResponse(Struct, kw_only=True):
    """The keys that the ledger's checkpoints are signed with, the one in use first."""

    keys: Annotated[list[SigningKey], Meta(min_length=1)]
    second: Annotated[SecondKey | None, Meta(description="Null where checkpoints get no second line.")] = None


class ErrorDetail(Struct, kw_only=True, omit_defaults=True):
    """Why not. Messages name fields and limits, never values."""

    code: Annotated[str, Meta(description="Stable: never renamed, never reused.")]
    message: Annotated[str, Meta(description="For people; may change.")]
    retryable: Annotated[bool, Meta(description="Whether the same request may succeed later.")]
    field: Annotated[str, Meta(description="The dotted path of the argument at fault.")] | UnsetType = UNSET
    audit_id: Annotated[str, Meta(description="The record that is committed all the same.")] | UnsetType = UNSET


class ErrorResponse(Struct, kw_only=True):
    """Every refusal looks like this."""

    error: ErrorDetail
