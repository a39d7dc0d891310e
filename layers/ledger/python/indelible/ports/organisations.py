# SPDX-License-Identifier: Apache-2.0
"""Who may record, and the secret that their keys are derived from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from indelible.domain.organisation import OrgConfig


@dataclass(frozen=True, slots=True)
class Page:
    """Names, each once, and where the next page begins: None after the last. `after` is the adapter's own text."""

    names: tuple[str, ...]
    after: str | None


class Organisations(Protocol):
    """The registry."""

    def get(self, org_id: str) -> OrgConfig | None:
        """The organisation as of at most a minute ago, or None.

        Raises HeadRegressed where what is stored of it cannot be read: rebuild it.
        """
        ...

    def create(self, config: OrgConfig) -> bool:
        """Register; False when the name is taken (disabled ones included)."""
        ...

    def replace(self, old: OrgConfig, new: OrgConfig) -> bool:
        """Change an organisation; False when it is not `old` any more."""
        ...

    def all(self) -> Iterator[str]:
        """Every organisation's id, sorted, disabled ones included. Not for functions: see `page`."""
        ...

    def page(self, after: str | None, *, limit: int) -> Page:
        """The next `limit` of them; from the first where `after` is None."""
        ...

    def registered(self, org_id: str) -> bool:
        """Whether there is such an organisation, now (a consistent read)."""
        ...


class SecretSource(Protocol):
    """Where the master secret comes from."""

    def master(self) -> bytes:
        """The master secret; cached by the adapter for some minutes."""
        ...
