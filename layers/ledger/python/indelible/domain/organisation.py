# SPDX-License-Identifier: Apache-2.0
"""An organisation in the registry. It contains no secrets, because those are derived."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OrgKey:
    """One HMAC key of an organisation. Times are RFC 3339 text."""

    key_id: str
    created_at: str
    disabled_at: str | None = None


@dataclass(frozen=True, slots=True)
class OrgConfig:
    """An organisation: its keys in the order of creation, its retention, and the IAM principals that may act for it."""

    org_id: str
    created_at: str
    keys: tuple[OrgKey, ...]
    disabled_at: str | None = None
    retention_days: int | None = None
    principals: tuple[str, ...] = ()

    def active_keys(self) -> tuple[OrgKey, ...]:
        """The keys that may sign requests, oldest first; none for a disabled organisation."""
        return () if self.disabled_at else tuple(key for key in self.keys if key.disabled_at is None)
