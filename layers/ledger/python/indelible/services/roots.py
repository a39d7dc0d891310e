# SPDX-License-Identifier: Apache-2.0
"""Rebuild the Merkle tree over records as they are verified, and hold every signed root against it.

A range may begin in the middle: the tree before it is taken from the published tiles, which no check has confirmed
by then. The next signed root commits to them and to the records read since, so a false tile fails there. The records
after the last signed root in the range are compared with the following one, over the published leaves in between.
"""

from __future__ import annotations

from collections.abc import Iterator

from indelible.domain import merkle, tiles
from indelible.domain.chain import ChainChecker
from indelible.domain.checkpoint import Checkpoint
from indelible.domain.findings import FailureCode, Promise
from indelible.domain.merkle import Subtree
from indelible.domain.note import BadSignature, NoteError, NotSigned
from indelible.errors import EvidenceBroken
from indelible.services.log import LogReader


class Roots:
    """One walk along one organisation's records. What is wrong is reported to the chain's checker."""

    def __init__(self, log: LogReader, org_id: str, checker: ChainChecker) -> None:
        self._log = log
        self._org_id = org_id
        self._checker = checker
        self._read = log.reader(org_id)
        self._sizes: Iterator[int] = iter(())
        self._next: int | None = None
        self._size = checker.start - 1
        self._parts: list[Subtree] = []
        self.last: Checkpoint | None = None

    def begin(self) -> None:
        """Before the first record: find the next checkpoint, and what the latest one promises."""
        start = self._checker.start
        self._promise_latest()
        self._sizes = self._log.sizes(self._org_id, at_least=start)
        self._next = next(self._sizes, None)
        if start > 1 and self._next is not None:
            try:
                edge = tiles.read_edge(start - 1, self._read, within=self._next)
            except ValueError as error:
                self._stop(FailureCode.CHECKPOINT_MISMATCH, self._next, str(error))
            else:
                self._parts = merkle.merged(edge.subtrees())

    def add(self, sequence: int, tx_hash: str) -> None:
        """The next record, as read from the bucket. Without all records before it no root can be rebuilt."""
        if self._next is None or sequence <= self._size:
            return
        if sequence != self._size + 1:
            self._next = None  # the gap itself is reported by the chain
            return
        self._grow(bytes.fromhex(tx_hash))
        if self._size == self._next:
            self._compare(self._next)

    def finish(self) -> None:
        """After the last record: go on to the next signed root over the published leaves."""
        if self._next is None or self._size < self._checker.start:
            return
        try:
            for index in range(self._size, self._next):
                self._grow(self._leaf(index, self._next))
        except ValueError as error:
            self._stop(FailureCode.CHECKPOINT_MISMATCH, self._next, str(error))
        else:
            self._compare(self._next)

    def _grow(self, leaf: bytes) -> None:
        self._parts = merkle.merged([*self._parts, Subtree(0, merkle.leaf_hash(leaf))])
        self._size += 1

    def _compare(self, size: int) -> None:
        signed = self._opened(size)
        if signed is None:
            return
        root = merkle.root_of(self._parts)
        if root != signed.root:
            detail = f"the records up to {size} do not lead to the root that was signed for them"
            self._stop(FailureCode.CHECKPOINT_MISMATCH, size, detail, expected=signed.root.hex(), found=root.hex())
            return
        self.last = signed
        self._next = next(self._sizes, None)

    def _promise_latest(self) -> None:
        size = self._log.latest_size(self._org_id)
        if size < self._checker.start or self._opened(size) is None:
            return
        try:
            leaf = self._leaf(size - 1, size)
        except ValueError as error:
            self._stop(FailureCode.CHECKPOINT_MISMATCH, size, str(error))
        else:
            # Several may promise the same sequence: a signature outweighs the table.
            self._checker.promises[size] = Promise(size, leaf.hex(), f"the checkpoint of size {size}")

    def _leaf(self, index: int, size: int) -> bytes:
        bundle = index // tiles.WIDTH
        width = min(tiles.WIDTH, size - bundle * tiles.WIDTH)
        leaves = tiles.unbundle(self._read(tiles.entries_path(bundle, width)))
        if len(leaves) != width:
            raise ValueError(f"{tiles.entries_path(bundle, width)} does not have {width} entries")
        return leaves[index % tiles.WIDTH]

    def _opened(self, size: int) -> Checkpoint | None:
        try:
            return self._log.opened(self._org_id, size).checkpoint
        except (BadSignature, NotSigned) as error:
            self._stop(FailureCode.BAD_SIGNATURE, size, f"the checkpoint of size {size}: {error}")
        except (NoteError, EvidenceBroken) as error:
            self._stop(FailureCode.CHECKPOINT_MISMATCH, size, str(error))
        return None

    def _stop(
        self, code: FailureCode, size: int, detail: str, *, expected: str | None = None, found: str | None = None
    ) -> None:
        self._checker.report(code, size, detail, expected=expected, found=found)
        self._next = None
