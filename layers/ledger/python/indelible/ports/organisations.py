# SPDX-License-Identifier: Apache-2.0
"""Who may record, and the secret that their keys are derived from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from indelible.domain.organisation import OrgConfig


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
