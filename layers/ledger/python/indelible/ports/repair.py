# SPDX-License-Identifier: Apache-2.0
"""The table as it is rebuilt from the bucket: what is there now, and swaps that fail where that has changed.

Nothing here is for recording. Whoever swaps has read the evidence before, and says what it saw in the table then: a
ledger that goes on recording meanwhile makes a swap fail, and never loses anything by it.
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
    """One item as it was read: `value` is None where there is none, and where what is there cannot be understood.

    `seen` is what a swap holds the item against; None where there is none.
    """

    value: T | None
    seen: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """Where the record with a hash stands; `tx_hash` is raw, because a lost table has millions of these."""

    tx_hash: bytes
    audit_id: str


class TableRepair(Protocol):
    """Every read is consistent."""

    def head(self, org_id: str) -> Found[Head]:
        """The item that recording builds on."""
        ...

    def log(self, org_id: str) -> Found[LogState]:
        """The anchor's register; without a value where an older version wrote it, without a root."""
        ...

    def ledger(self) -> Found[LedgerState]:
        """The register of the ledger's own log."""
        ...

    def config(self, org_id: str) -> Found[OrgConfig]:
        """Keys and settings of an organisation."""
        ...

    def registered(self) -> frozenset[str]:
        """Names in the registry."""
        ...

    def days(self, org_id: str) -> Mapping[str, int]:
        """The first sequence of each day that the table knows."""
        ...

    def unindexed(self, org_id: str, entries: Sequence[IndexEntry]) -> list[IndexEntry]:
        """Those that the index does not have."""
        ...

    def swap_head(self, org_id: str, found: Found[Head], new: Head) -> bool:
        """Replace what was found; False when it has changed since."""
        ...

    def swap_log(self, org_id: str, found: Found[LogState], new: LogState | None) -> bool:
        """The same; None takes the item away."""
        ...

    def swap_ledger(self, found: Found[LedgerState], new: LedgerState | None) -> bool:
        """The same."""
        ...

    def swap_config(self, org_id: str, found: Found[OrgConfig], new: OrgConfig) -> bool:
        """The same."""
        ...

    def register(self, org_id: str, created_at: str) -> None:
        """Put the name into the registry, unless it is there."""
        ...

    def add_days(self, org_id: str, days: Mapping[str, int]) -> None:
        """Put days that are not there; those that are stay as they are."""
        ...

    def index(self, org_id: str, entries: Sequence[IndexEntry]) -> None:
        """Put entries."""
        ...


class Inventory(Protocol):
    """What the bucket has, by listing alone."""

    def owners(self) -> list[str]:
        """Organisations below whose prefix there is any version or delete marker, sorted; `_admin` is one."""
        ...

    def logged(self, org_id: str) -> frozenset[int]:
        """Sizes of the organisation's checkpoints that have a proof in the ledger's own log."""
        ...
