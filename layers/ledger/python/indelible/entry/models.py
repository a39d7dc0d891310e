# SPDX-License-Identifier: Apache-2.0
"""Requests and answers of every door. Validation, JSON Schema and OpenAPI come from these definitions.

Field names are binding: customers have been shown them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from indelible.domain.event import Event
from indelible.domain.receipt import Receipt
from indelible.domain.record import ORG_ID

# Python's $ alone lets a last newline by; ECMAScript's, which JSON Schema means, does not.
OrgId = Annotated[str, Meta(pattern=rf"^{ORG_ID}$(?!\n)", description="Your organisation in the ledger.")]
Signature = Annotated[
    str,
    Meta(
        max_length=256,
        description="hex HMAC-SHA256(your secret, RFC 8785 serialization of all arguments but this one).",
    ),
]
KeyId = Annotated[
    str, Meta(min_length=1, max_length=64, description="Which of your active keys signed; the newest when absent.")
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
Sequence = Annotated[int, Meta(ge=1, le=999_999_999_999)]
MAX_BATCH = 100


class Identity(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who asks."""

    org_id: OrgId
    signature: Signature | UnsetType = UNSET
    key_id: KeyId | UnsetType = UNSET
    signed_at: SignedAt | UnsetType = UNSET


class RecordRequest(Event, kw_only=True, forbid_unknown_fields=True):
    """One event to record. (A struct has one base only: the members of Identity stand here again.)"""

    org_id: OrgId
    signature: Signature | UnsetType = UNSET
    key_id: KeyId | UnsetType = UNSET
    signed_at: SignedAt | UnsetType = UNSET
    idempotency_key: IdempotencyKey | UnsetType = UNSET


class BatchRequest(Identity, kw_only=True, forbid_unknown_fields=True):
    """Events to record one after another, in one call."""

    events: Annotated[list[Event], Meta(min_length=1, max_length=MAX_BATCH)]
    idempotency_key: IdempotencyKey | UnsetType = UNSET


class ProveRequest(Identity, kw_only=True, forbid_unknown_fields=True):
    """Which record: by exactly one of the two."""

    audit_id: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    tx_hash: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET


class VerifyRequest(Identity, kw_only=True, forbid_unknown_fields=True):
    """Which part of the chain; both ends are included, nothing means all of it."""

    start_seq: Sequence | UnsetType = UNSET
    end_seq: Sequence | UnsetType = UNSET
    from_: Instant | UnsetType = msgspec.field(name="from", default=UNSET)
    to: Instant | UnsetType = UNSET


class RecordResponse(Struct, kw_only=True):
    """The event is sealed."""

    receipt: Receipt
    status: Literal["recorded"] = "recorded"


class BatchResponse(Struct, kw_only=True):
    """All events are sealed; receipts in the order of the events."""

    receipts: list[Receipt]
    status: Literal["recorded"] = "recorded"


class Storage(Struct, kw_only=True):
    """What S3 says about the object now. `shadowed_by`: newer versions or delete markers laid over it."""

    s3_key: str
    version_id: str
    lock_mode: str | None
    retain_until: str | None
    sha256: str | None
    shadowed_by: list[str]


class ProveResponse(Struct, kw_only=True):
    """`record` is the stored record itself; its RFC 8785 serialization hashes to `tx_hash`."""

    audit_id: str
    tx_hash: str
    block_height: int | None
    timestamp: str
    governor_key_id: str
    governor_signature: str
    record: msgspec.Raw
    receipt: Receipt
    storage: Storage


class FailureModel(Struct, kw_only=True, omit_defaults=True):
    """One thing that is wrong, and where. `through` ends a run of sequences."""

    code: str
    sequence: int | None
    detail: str
    through: int | None = None
    s3_key: str | None = None
    version_id: str | None = None
    expected: str | None = None
    found: str | None = None


class VerifyResponse(Struct, kw_only=True):
    """`valid` is null when time ran out with nothing wrong so far: ask again from `next_seq`."""

    valid: bool | None
    entries_checked: int
    first_broken_at: int | None
    verification_time_ms: int
    failures: list[FailureModel]
    failures_total: int
    pending: list[int]
    complete: bool
    next_seq: int | None
    checkpoint: None = None
