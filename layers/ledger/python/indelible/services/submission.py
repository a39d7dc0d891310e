# SPDX-License-Identifier: Apache-2.0
"""What a caller asks to be recorded, and what an idempotency key stands for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from indelible.domain.record import GovernorKey, Retention
from indelible.ports import Idempotency


@dataclass(frozen=True, slots=True)
class Submission:
    """Events of one organisation, to be recorded in order."""

    org_id: str
    events: tuple[bytes, ...]
    """Sanitized, and canonical (RFC 8785)."""
    retention: Retention
    governor: GovernorKey
    """Signs each record for the ledger."""
    deadline_ms: int
    """When to stop trying to commit (Unix milliseconds). Sealing comes after it."""
    idempotency_key: str | None = None
    """The same key with the same events returns the same receipts, for 30 days."""
    asked: tuple[bytes, ...] = ()
    """The events without what the call added to them (its trace), where it did. The idempotency key stands for these,
    so that a retry may have another trace."""

    @property
    def request_hash(self) -> str:
        """Hex SHA-256 over the SHA-256 of each event as it is recorded.

        Not over what was sent: the hash of a secret that sanitizing removed would tell about it.
        """
        digest = hashlib.sha256()
        for event in self.asked or self.events:
            digest.update(hashlib.sha256(event).digest())
        return digest.hexdigest()

    def idempotency(self, start: int) -> Idempotency | None:
        """The claim of the transaction whose first event has this position; None without an idempotency key."""
        if self.idempotency_key is None:
            return None
        key_hash = hashlib.sha256(self.idempotency_key.encode()).hexdigest()
        return Idempotency(key_hash=key_hash, request_hash=self.request_hash, start=start)
