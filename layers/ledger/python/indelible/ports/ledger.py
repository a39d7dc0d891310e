# SPDX-License-Identifier: Apache-2.0
"""The ledger's own log, in the table: its register, and the checkpoints that wait to be logged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from indelible.domain.ledger import LedgerLeaf
from indelible.domain.merkle import EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class LedgerState:
    """How far the ledger's log is. Without a batch, `published` equals `tree_size`."""

    tree_size: int
    """The size of the tree that is fixed: no other root will be signed for it."""
    root: str
    """The root of that tree, in hex."""
    published: int
    """The size of the last published checkpoint."""
    batch: tuple[LedgerLeaf, ...] = ()
    """The leaves of the fixed tree after the published ones, in their order."""


EMPTY_LEDGER = LedgerState(tree_size=0, root=EMPTY_ROOT.hex(), published=0)


class LedgerRegister(Protocol):
    """The compare-and-swap register of the ledger's log."""

    def read(self) -> LedgerState:
        """The state now (a consistent read); `EMPTY_LEDGER` before the first run.

        Raises HeadRegressed where the item cannot be parsed, say because an older version wrote it: rebuild the table.
        """
        ...

    def advance(self, old: LedgerState, new: LedgerState) -> bool:
        """Replace `old` by `new`, whose batch has at most 1,101 leaves; as `LogHead.advance`."""
        ...


class LedgerOutbox(Protocol):
    """Published checkpoints that wait to be logged. Some may have been logged already."""

    def put(self, leaf: LedgerLeaf) -> None:
        """Add a checkpoint. Idempotent: one that waits already gets the new times."""
        ...

    def waiting(self) -> Iterator[LedgerLeaf]:
        """All that wait, lazily, in no particular order (consistent reads)."""
        ...

    def clear(self, leaves: Sequence[LedgerLeaf]) -> None:
        """Remove checkpoints. Idempotent. A published checkpoint of the ledger's log must include each."""
        ...
