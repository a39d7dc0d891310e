# SPDX-License-Identifier: Apache-2.0
"""What must be true of one stored record before anybody gets a receipt or a proof for it (G1)."""

from __future__ import annotations

from collections.abc import Sequence

from indelible.domain import record
from indelible.domain.receipt import Receipt
from indelible.domain.record import Record
from indelible.errors import EvidenceBroken
from indelible.ports import StoredVersion


def intact(stored: StoredVersion) -> Record:
    """The record in a stored version: read from its bytes, under its own key, with the checksum that the store keeps.

    Raises EvidenceBroken.
    """
    try:
        entry = record.read(stored.data)
    except record.UnknownFormat as error:
        raise EvidenceBroken(f"the object under {stored.s3_key} is no record: {error}") from None
    if entry.s3_key != stored.s3_key or stored.sha256 not in (None, entry.tx_hash):
        raise EvidenceBroken(f"the object under {stored.s3_key} is not what was sealed there")
    return entry


def locked(stored: StoredVersion, entry: Record) -> bool:
    """Whether the lock is at least what the record promises."""
    lock = stored.lock
    return lock is not None and lock.mode == entry.lock_mode and lock.retain_until_ms >= entry.retain_until_ms


def as_committed(receipts: Sequence[Receipt], tx_hash: str) -> None:
    """Raise EvidenceBroken unless each receipt names the one before it and the last has this hash (hex SHA-256)."""
    later = [*(receipt.prev_hash for receipt in receipts[1:]), tx_hash]
    for receipt, expected in zip(receipts, later, strict=True):
        if receipt.tx_hash != expected:
            message = f"{receipt.s3_key} does not hold what was committed"
            raise EvidenceBroken(message, audit_id=receipt.audit_id)
