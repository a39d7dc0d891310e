# SPDX-License-Identifier: Apache-2.0
"""The ledger's own log, in the table: which checkpoints wait for it, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from indelible.domain.ledger import LedgerLeaf
from indelible.domain.merkle import EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class LedgerState:
    """How far the ledger's log is.

    A checkpoint is published up to the size `published`. The tree of `tree_size` and `root` (hex) is fixed: it is the
    published one and, after it, the leaves of `batch` in this order. Without a batch, the two sizes are the same.
    """

    tree_size: int
    root: str
    published: int
    batch: tuple[LedgerLeaf, ...] = ()


EMPTY_LEDGER = LedgerState(tree_size=0, root=EMPTY_ROOT.hex(), published=0)


class LedgerRegister(Protocol):
    """The compare-and-swap register of the ledger's log."""

    def read(self) -> LedgerState:
        """The state now (a consistent read); `EMPTY_LEDGER` before the first run.

        Raises HeadRegressed where it cannot be read, say because an older version wrote it: rebuild it.
        """
        ...

    def advance(self, old: LedgerState, new: LedgerState) -> bool:
        """Replace `old` by `new`, which has at most 1,101 leaves; False when another run was faster."""
        ...


class LedgerOutbox(Protocol):
    """Published checkpoints that the ledger's log does not hold yet, as far as the table knows."""

    def put(self, leaf: LedgerLeaf) -> None:
        """Let it wait; again, for one that waits already, changes nothing but its times."""
        ...

    def waiting(self) -> Iterator[LedgerLeaf]:
        """Everything that waits, lazily, in no order that matters."""
        ...

    def clear(self, leaves: Sequence[LedgerLeaf]) -> None:
        """Forget them. Only what the ledger's log holds, published."""
        ...
