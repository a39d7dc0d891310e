# SPDX-License-Identifier: Apache-2.0
"""An organisation as the registry keeps it. No secret is ever in it: secrets are derived."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OrgKey:
    """One HMAC key of an organisation, by id; the secret itself is derived, never stored."""

    key_id: str
    created_at: str
    disabled_at: str | None = None


@dataclass(frozen=True, slots=True)
class OrgConfig:
    """An organisation: its keys in the order of creation, whether it may do anything, and (IAM ARNs) who for it."""

    org_id: str
    created_at: str
    keys: tuple[OrgKey, ...]
    disabled_at: str | None = None
    retention_days: int | None = None
    principals: tuple[str, ...] = ()

    def active_keys(self) -> tuple[OrgKey, ...]:
        """Keys that may sign, oldest first; none for a disabled organisation."""
        return () if self.disabled_at else tuple(key for key in self.keys if key.disabled_at is None)
