# SPDX-License-Identifier: Apache-2.0
"""Checks of a stored record, before a receipt or a proof of it is returned (G1)."""

from __future__ import annotations

from collections.abc import Sequence

from indelible.domain import record
from indelible.domain.receipt import Receipt
from indelible.domain.record import Record
from indelible.errors import EvidenceBroken
from indelible.ports import StoredVersion


def read_intact(stored: StoredVersion) -> Record:
    """Parse the record in a stored version.

    Raises EvidenceBroken where the bytes are no record, or one of another key, or do not have the checksum that the
    store keeps.
    """
    try:
        entry = record.read(stored.data)
    except record.UnknownFormat as error:
        raise EvidenceBroken(f"the object {stored.s3_key} is not a record: {error}") from None
    if entry.s3_key != stored.s3_key or stored.sha256 not in (None, entry.tx_hash):
        raise EvidenceBroken(f"the object {stored.s3_key} is not what was sealed there")
    return entry


def is_locked(stored: StoredVersion, entry: Record) -> bool:
    """Whether the version is locked in the mode that the record promises, and for at least as long."""
    lock = stored.lock
    return lock is not None and lock.mode == entry.lock_mode and lock.retain_until_ms >= entry.retain_until_ms


def check_links(receipts: Sequence[Receipt], tx_hash: str) -> None:
    """Raise EvidenceBroken unless each receipt names the one before it, and the last has this hash (hex SHA-256)."""
    later = [*(receipt.prev_hash for receipt in receipts[1:]), tx_hash]
    for receipt, expected in zip(receipts, later, strict=True):
        if receipt.tx_hash != expected:
            message = f"{receipt.s3_key} is not stored as it was committed"
            raise EvidenceBroken(message, audit_id=receipt.audit_id)
