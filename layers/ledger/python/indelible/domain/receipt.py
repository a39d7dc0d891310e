# SPDX-License-Identifier: Apache-2.0
"""The receipt: what the ledger gives its word for once a record is sealed (G1)."""

from __future__ import annotations

from msgspec import Struct

from indelible.domain import instants
from indelible.domain.record import Record


class Receipt(Struct, frozen=True, kw_only=True):
    """Field names and formats as customers hold them. Keep it: with it, a truncated chain is provable."""

    audit_id: str
    tx_hash: str
    sequence: int
    prev_hash: str
    timestamp: str
    s3_key: str
    s3_version_id: str
    s3_lock_mode: str
    retention_until: str

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
