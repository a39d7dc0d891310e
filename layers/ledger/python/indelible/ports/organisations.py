# SPDX-License-Identifier: Apache-2.0
"""The registry of organisations, and the master secret that their keys are derived from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from indelible.domain.organisation import OrgConfig


@dataclass(frozen=True, slots=True)
class Page:
    """A page of names, each once."""

    names: tuple[str, ...]
    after: str | None
    """The adapter's own token for the next page; None after the last."""


class Organisations(Protocol):
    """The registry."""

    def get(self, org_id: str) -> OrgConfig | None:
        """The organisation as it was at most a minute ago; None when there is none.

        Raises HeadRegressed where the item cannot be parsed: rebuild the table.
        """
        ...

    def create(self, config: OrgConfig) -> bool:
        """Register an organisation; False when the name is taken, perhaps by one that is disabled.

        Idempotent: repeated with the same config, it is True again.
        """
        ...

    def replace(self, old: OrgConfig, new: OrgConfig) -> bool:
        """Replace `old` by `new`, a compare-and-swap; False when the organisation is neither of them."""
        ...

    def all(self) -> Iterator[str]:
        """Every organisation's id, sorted, disabled ones included. For operators: functions use `page`."""
        ...

    def page(self, after: str | None, *, limit: int) -> Page:
        """Up to `limit` ids, sorted, from the first where `after` is None."""
        ...

    def registered(self, org_id: str) -> bool:
        """Whether the organisation is registered (a consistent read)."""
        ...


class SecretSource(Protocol):
    """The store of the master secret."""

    def master(self) -> bytes:
        """The master secret, as stored. The adapter may cache it for a quarter of an hour."""
        ...
