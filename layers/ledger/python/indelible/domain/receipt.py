# SPDX-License-Identifier: Apache-2.0
"""The receipt, which the ledger returns once a record is sealed (G1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from indelible.domain import instants
from indelible.domain.record import Record

AuditId: TypeAlias = Annotated[
    str,
    Meta(
        pattern="^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
        description="UUIDv8 that contains the record's timestamp and sequence, and so locates it.",
    ),
]
TxHash: TypeAlias = Annotated[
    str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 of the object's bytes, hex: what sha256sum prints.")
]
PrevHash: TypeAlias = Annotated[
    str, Meta(pattern="^(?:GENESIS|[0-9a-f]{64})$", description="tx_hash of the previous record; GENESIS in the first.")
]
Timestamp: TypeAlias = Annotated[
    str,
    Meta(
        description="The ledger's clock, UTC.",
        extra_json_schema={"format": "date-time"},
        examples=["2026-03-20T14:22:01.481Z"],
    ),
]
S3Key: TypeAlias = Annotated[str, Meta(description="The object's key in the evidence bucket.")]
VersionId: TypeAlias = Annotated[str, Meta(description="The version of the object that is the evidence.")]
LockMode: TypeAlias = Annotated[str, Meta(extra_json_schema={"enum": ["COMPLIANCE", "GOVERNANCE"]})]


class Receipt(Struct, frozen=True, kw_only=True):
    """The ledger's receipt for a sealed record. Keep it: it proves if the end of the chain is cut off later."""

    audit_id: AuditId
    tx_hash: TxHash
    sequence: Annotated[int, Meta(ge=1, description="Position in the organisation's chain, from 1.")]
    prev_hash: PrevHash
    timestamp: Timestamp
    s3_key: S3Key
    s3_version_id: VersionId
    s3_lock_mode: LockMode
    retention_until: Annotated[
        str,
        Meta(
            description="The end of retention: the object cannot be deleted earlier.",
            extra_json_schema={"format": "date-time"},
        ),
    ]

    @classmethod
    def of(cls, record: Record, version_id: str) -> Receipt:
        """The receipt for a record that the store has acknowledged as this version."""
        return cls(
            audit_id=record.audit_id,
            tx_hash=record.tx_hash,
            sequence=record.sequence,
            prev_hash=record.prev_hash,
            timestamp=instants.to_text(record.timestamp_ms),
            s3_key=record.s3_key,
            s3_version_id=version_id,
            s3_lock_mode=record.lock_mode,
            retention_until=instants.to_text(record.retain_until_ms),
        )

    def contradictions(self, record: Record, version_id: str | None) -> Iterator[tuple[str, str, str]]:
        """The members that differ from the record's: name, the receipt's value, the record's value.

        `version_id` is the stored version of the record; None or empty if the source does not show one. Instants are
        compared as instants, not as text.
        """
        true = Receipt.of(record, version_id or self.s3_version_id)
        for name in self.__struct_fields__:
            said, found = str(getattr(self, name)), str(getattr(true, name))
            if said != found and not (name in _INSTANTS and _instant(said) == found):
                yield name, said, found


_INSTANTS = frozenset({"timestamp", "retention_until"})


def _instant(text: str) -> str | None:
    try:
        return instants.to_text(instants.from_text(text))
    except ValueError:
        return None
