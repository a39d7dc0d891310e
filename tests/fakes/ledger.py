# SPDX-License-Identifier: Apache-2.0
"""The ledger's own log in the table, in memory: its register and its outbox.

Invariants that they assert on whoever calls them (G5): the tree of a size has one root and one list of leaves; a batch
is fixed when nothing else is pending, and published as it was fixed; nothing is forgotten that has no proof.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from indelible.domain.ledger import LedgerLeaf, ledger_proof_path
from indelible.ports import EMPTY_LEDGER, LedgerState
from tests.fakes.bucket import Bucket
from tests.fakes.rfc6962 import root_of_leaves


@dataclass(slots=True)
class FakeLedgerRegister:
    """LedgerRegister. `leaves` is everything that was ever fixed, in the order of the tree."""

    state: LedgerState = EMPTY_LEDGER
    leaves: list[LedgerLeaf] = field(default_factory=list)
    roots: dict[int, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    bucket: Bucket | None = None

    def read(self) -> LedgerState:
        return self.state

    def _is_taken(self, size: int) -> bool:
        """Whether somebody else's file has the place for which a root was fixed."""
        stored = self.bucket.versions(f"_ledger/_log/checkpoints/{size:012d}") if self.bucket else []
        return bool(stored) and b"\n\n" not in stored[0].data

    def advance(self, old: LedgerState, new: LedgerState) -> bool:
        assert bool(new.batch) == (new.tree_size > new.published), "a batch is what is fixed and not published"
        assert len(new.batch) <= 1101, "an item has 400 KB"
        added = new.batch[len(old.batch) :]
        if new.batch:
            assert not old.batch or self._is_taken(old.tree_size), "a batch that can be published is, before the next"
            assert new.batch[: len(old.batch)] == old.batch, "G5: what is fixed is contained in what goes beyond"
            assert new.published == old.published, "fixing and publishing are two steps"
            assert new.tree_size == old.tree_size + len(added) > old.tree_size, "the tree grows by the batch"
            assert list(added) == sorted(set(added)), "in order"
            assert len(set(new.batch)) == len(new.batch), "nothing twice"
        else:
            assert old.batch, "an advance advances"
            assert (new.tree_size, new.root) == (old.tree_size, old.root), "G5: published as it was fixed"
        with self.lock:
            if self.state != old:
                return False
            if new.batch:
                self.leaves += added
                assert len(self.leaves) == new.tree_size
                assert root_of_leaves([leaf.data for leaf in self.leaves]).hex() == new.root, "G5: not the leaves' root"
                self.roots[new.tree_size] = new.root
            self.state = new
            return True


@dataclass(slots=True)
class FakeLedgerOutbox:
    """LedgerOutbox. With a bucket at hand it lets nothing be forgotten that has no proof."""

    bucket: Bucket | None = None
    entries: dict[tuple[str, int], LedgerLeaf] = field(default_factory=dict)

    def put(self, leaf: LedgerLeaf) -> None:
        self.entries[leaf.org_id, leaf.size] = leaf

    def waiting(self) -> Iterator[LedgerLeaf]:
        yield from [self.entries[name] for name in sorted(self.entries)]

    def clear(self, leaves: Sequence[LedgerLeaf]) -> None:
        for leaf in leaves:
            if self.bucket is not None:
                proof = f"{leaf.org_id}/_log/{ledger_proof_path(leaf.size)}"
                assert self.bucket.versions(proof), "forgotten before it was proven to its organisation"
            self.entries.pop((leaf.org_id, leaf.size), None)
