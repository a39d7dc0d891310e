# SPDX-License-Identifier: Apache-2.0
"""Who may record, and the secret that their keys are derived from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OrgKey:
    """One HMAC key of an organisation, by id; the secret itself is derived, never stored."""

    key_id: str
    created_at: str
    disabled_at: str | None = None


@dataclass(frozen=True, slots=True)
class OrgConfig:
    """An organisation: its keys in the order of creation, and whether it may do anything at all."""

    org_id: str
    created_at: str
    keys: tuple[OrgKey, ...]
    disabled_at: str | None = None
    retention_days: int | None = None

    def active_keys(self) -> tuple[OrgKey, ...]:
        """Keys that may sign, oldest first; none for a disabled organisation."""
        return () if self.disabled_at else tuple(key for key in self.keys if key.disabled_at is None)


class Organisations(Protocol):
    """The registry."""

    def get(self, org_id: str) -> OrgConfig | None:
        """The organisation as of at most a minute ago, or None."""
        ...

    def create(self, config: OrgConfig) -> bool:
        """Register; False when the name is taken (disabled ones included)."""
        ...

    def replace(self, old: OrgConfig, new: OrgConfig) -> bool:
        """Change an organisation; False when it is not `old` any more."""
        ...

    def all(self) -> Iterator[str]:
        """Every organisation's id, sorted, disabled ones included."""
        ...


class SecretSource(Protocol):
    """Where the master secret comes from."""

    def master(self) -> bytes:
        """The master secret; cached by the adapter for some minutes."""
        ...
