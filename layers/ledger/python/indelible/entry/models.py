# SPDX-License-Identifier: Apache-2.0
"""Requests and responses, shared by REST and MCP.

Invariant: validation, JSON Schema and OpenAPI all come from these definitions, and field names are public: they do not
change. Docstrings and descriptions here are published too.
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

# Python's $ also matches before a final newline; that of ECMAScript, which JSON Schema refers to, does not.
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
SignedAt = Annotated[
    datetime, Meta(tz=True, description="Time of signing (RFC 3339), within 5 minutes of the ledger's clock.")
]
IdempotencyKey = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=256,
        description="A retry with the same key and event gets the same receipt, for 30 days.",
    ),
]
MAX_SEQUENCE = 999_999_999_999
Sequence = Annotated[int, Meta(ge=1, le=MAX_SEQUENCE, description="Position of a record in its chain, from 1.")]
TreeSize = Annotated[int, Meta(ge=1, le=MAX_SEQUENCE, description="Tree size of a published checkpoint.")]
MAX_BATCH = 100


class SignedRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The members that identify the caller of an operation."""

    org_id: OrgId
    signature: Signature | UnsetType = UNSET
    key_id: KeyId | UnsetType = UNSET
    signed_at: SignedAt | UnsetType = UNSET


# A struct has one base only, so the members of SignedRequest are repeated.
class RecordRequest(Event, kw_only=True, forbid_unknown_fields=True):
    """One event to record."""

    org_id: OrgId
    signature: Signature | UnsetType = UNSET
    key_id: KeyId | UnsetType = UNSET
    signed_at: SignedAt | UnsetType = UNSET
    idempotency_key: IdempotencyKey | UnsetType = UNSET


class BatchRequest(SignedRequest, kw_only=True, forbid_unknown_fields=True):
    """Events to record as consecutive records."""

    events: Annotated[list[Event], Meta(min_length=1, max_length=MAX_BATCH, description="Recorded in this order.")]
    idempotency_key: IdempotencyKey | UnsetType = UNSET


class ProveRequest(SignedRequest, kw_only=True, forbid_unknown_fields=True):
    """The record to prove, by exactly one of `audit_id` and `tx_hash`."""

    # No pattern: text that cannot be an id is not found, like an id that does not exist.
    audit_id: (
        Annotated[str, Meta(min_length=1, max_length=64, description="From the receipt. Or send tx_hash.")] | UnsetType
    ) = UNSET
    tx_hash: (
        Annotated[str, Meta(min_length=1, max_length=64, description="From the receipt. Or send audit_id.")] | UnsetType
    ) = UNSET


class VerifyRequest(SignedRequest, kw_only=True, forbid_unknown_fields=True):
    """The range of the chain to verify, both ends included; without members, the whole chain."""

    start_seq: Sequence | UnsetType = UNSET
    end_seq: Sequence | UnsetType = UNSET
    from_: Instant | UnsetType = msgspec.field(name="from", default=UNSET)
    to: Instant | UnsetType = UNSET


class ConsistencyRequest(SignedRequest, kw_only=True, forbid_unknown_fields=True):
    """Two published checkpoints of a log, by their tree sizes."""

    old_size: TreeSize
    new_size: TreeSize
    log: Annotated[
        Literal["organisation", "ledger"],
        Meta(description="Your organisation's log, or the ledger's log of all organisations' checkpoints."),
    ] = "organisation"


class RecordResponse(Struct, kw_only=True):
    """The event is sealed."""

    receipt: Receipt
    status: Literal["recorded"] = "recorded"


class BatchResponse(Struct, kw_only=True):
    """All events are sealed. Receipts are in the order of the events."""

    receipts: Annotated[list[Receipt], Meta(min_length=1, max_length=MAX_BATCH)]
    status: Literal["recorded"] = "recorded"


class Storage(Struct, kw_only=True):
    """The state of the stored object, as S3 reports it now."""

    s3_key: S3Key
    version_id: VersionId
    lock_mode: Annotated[str | None, Meta(description="null when the object is not locked.")]
    retain_until: Annotated[str | None, Meta(description="When the lock ends.")]
    sha256: Annotated[str | None, Meta(description="The checksum that S3 stores with the object, hex.")]
    shadowed_by: Annotated[list[str], Meta(description="Newer versions and delete markers above the sealed version.")]


class ProveResponse(Struct, kw_only=True):
    """One record, its receipt, its proofs, and the state of the stored object."""

    audit_id: AuditId
    tx_hash: TxHash
    block_height: Annotated[
        int | None,
        Meta(description="Tree size of the first checkpoint that covers the record; null until then."),
    ]
    timestamp: Timestamp
    governor_key_id: str
    governor_signature: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="HMAC by the ledger's own key.")]
    record: Annotated[
        msgspec.Raw,
        Meta(
            description="The record as stored. The SHA-256 of its RFC 8785 serialization is tx_hash.",
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
        LedgerInclusion | None,
        Meta(description="null until the ledger's own log includes the checkpoint."),
    ] = None
    next_anchor_at: Annotated[
        str | None, Meta(description="While anchoring is pending: when the next run is due, if known.")
    ] = None


class FailureModel(Struct, kw_only=True, omit_defaults=True):
    """One failure, and where it was found."""

    code: FailureCode
    sequence: int | None
    detail: Annotated[str, Meta(description="For people; may change.")]
    through: Annotated[int | None, Meta(description="The last sequence of a run that begins with `sequence`.")] = None
    s3_key: str | None = None
    version_id: str | None = None
    expected: str | None = None
    found: str | None = None


class VerifyResponse(Struct, kw_only=True):
    """The verdict on a range, with all failures found in it."""

    valid: Annotated[
        bool | None, Meta(description="null: the time ran out without a failure so far; ask again from next_seq.")
    ]
    entries_checked: Count
    first_broken_at: Annotated[int | None, Meta(description="The lowest sequence among the failures.")]
    verification_time_ms: Count
    failures: Annotated[
        list[FailureModel],
        Meta(max_length=1000, description="At most a thousand, by sequence; those without a sequence last."),
    ]
    failures_total: Count
    pending: Annotated[list[int], Meta(description="Sequences just committed, not sealed yet; no failure.")]
    complete: Annotated[bool, Meta(description="Whether the whole range was checked.")]
    next_seq: Annotated[int | None, Meta(description="Where to continue when `complete` is false.")]
    checkpoint: Annotated[
        CheckpointModel | None, Meta(description="The last signed checkpoint that the records were checked against.")
    ] = None


class ErrorDetail(Struct, kw_only=True, omit_defaults=True):
    """The reason. Messages name fields and limits, never values."""

    code: Annotated[str, Meta(description="Stable: never renamed, never reused.")]
    message: Annotated[str, Meta(description="For people; may change.")]
    retryable: Annotated[bool, Meta(description="Whether the same request may succeed later.")]
    field: Annotated[str, Meta(description="The dotted path of the argument at fault.")] | UnsetType = UNSET
    audit_id: Annotated[str, Meta(description="The record that is committed nevertheless.")] | UnsetType = UNSET


class ErrorResponse(Struct, kw_only=True):
    """The body of every error."""

    error: ErrorDetail
