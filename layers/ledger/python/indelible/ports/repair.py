# SPDX-License-Identifier: Apache-2.0
"""The table, for a rebuild from the bucket: raw reads, and swaps that fail where an item has changed since.

A swap names the item as it was read before the evidence was. Where the ledger has recorded or anchored meanwhile, the
swap fails, and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from indelible.domain.organisation import OrgConfig
from indelible.domain.record import Head
from indelible.ports.ledger import LedgerState
from indelible.ports.log import LogState

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """One item as it was read."""

    value: T | None
    """None where there is no item, or one that cannot be parsed."""
    seen: Mapping[str, object] | None
    """The attributes that a swap compares; None where there is no item. For the adapter alone."""


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """An entry of the index."""

    tx_hash: bytes
    """32 raw bytes: a lost table lacks millions of entries."""
    audit_id: str


class TableRepair(Protocol):
    """Every read is consistent. A swap returns False, and writes nothing, where the item is not what was found."""

    def head(self, org_id: str) -> Found[Head]:
        """The head of an organisation's chain."""
        ...

    def log(self, org_id: str) -> Found[LogState]:
        """The register of an organisation's log."""
        ...

    def ledger(self) -> Found[LedgerState]:
        """The register of the ledger's own log."""
        ...

    def config(self, org_id: str) -> Found[OrgConfig]:
        """The keys and settings of an organisation."""
        ...

    def registered(self) -> frozenset[str]:
        """The names in the registry."""
        ...

    def days(self, org_id: str) -> Mapping[str, int]:
        """The first sequence of each day (`YYYY-MM-DD`) that has an item."""
        ...

    def unindexed(self, org_id: str, entries: Sequence[IndexEntry]) -> list[IndexEntry]:
        """Those of the entries that the index does not have. No two may have the same hash."""
        ...

    def swap_head(self, org_id: str, found: Found[Head], new: Head) -> bool:
        """Replace the head."""
        ...

    def swap_log(self, org_id: str, found: Found[LogState], new: LogState | None) -> bool:
        """Replace the register of an organisation's log; None deletes it."""
        ...

    def swap_ledger(self, found: Found[LedgerState], new: LedgerState | None) -> bool:
        """Replace the register of the ledger's own log; None deletes it."""
        ...

    def swap_config(self, org_id: str, found: Found[OrgConfig], new: OrgConfig) -> bool:
        """Replace the config of an organisation."""
        ...

    def register(self, org_id: str, created_at: str) -> None:
        """Put a name into the registry, unless it is there. `created_at` is RFC 3339."""
        ...

    def add_days(self, org_id: str, days: Mapping[str, int]) -> None:
        """Put the items of days that have none; existing ones stay as they are."""
        ...

    def index(self, org_id: str, entries: Sequence[IndexEntry]) -> None:
        """Put entries of the index. Idempotent."""
        ...


class Inventory(Protocol):
    """The contents of the bucket, by listing alone."""

    def owners(self) -> list[str]:
        """Organisations with any version or delete marker below their prefix, sorted, `_admin` included."""
        ...

    def logged(self, org_id: str) -> frozenset[int]:
        """Sizes of the organisation's checkpoints with a proof file of the ledger's own log, whatever it contains."""
        ...
