# SPDX-License-Identifier: Apache-2.0
"""Rebuild the Merkle tree (RFC 6962) over records as they are verified, and compare it with every signed root.

For a range that begins in the middle, the tree before it is taken from the published tiles, which nothing has
confirmed by then. The next signed root commits to them and to the records read since, so a false tile fails there.
The records after the last signed root in the range are checked with the following one, over the published leaves in
between.

A signed checkpoint also says how far the chain reaches at least, whatever the table says of its head. A file that has
the name of a checkpoint and is not signed is reported and skipped: it does not hide those after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from indelible.domain import audit_id as audit_ids
from indelible.domain import merkle, tiles
from indelible.domain.chain import ChainChecker
from indelible.domain.checkpoint import Checkpoint, SignedCheckpoint
from indelible.domain.findings import ExpectedHash, FailureCode
from indelible.domain.keyring import KeyEnded
from indelible.domain.merkle import Subtree
from indelible.domain.note import BadSignature, NoteError, NotSigned
from indelible.domain.record import RecordKey
from indelible.errors import EvidenceBroken
from indelible.services.log import MOST_FOREIGN, LogReader

_MOST_LEAVES = 1 << 16
"""After the last record, up to the next checkpoint: the ledger's own are some thousand apart at most."""


class RootChecker:
    """For one walk along one organisation's records. Failures are reported to its ChainChecker, one for each size.

    Call `begin`, then `add` or `add_run` for the records in order, then `finish`. `last` is the largest checkpoint that
    the records lead to. `on_confirmed` is called with each of these, ascending by size.
    """

    def __init__(self, log: LogReader, org_id: str, checker: ChainChecker) -> None:
        self._log = log
        self._org_id = org_id
        self._checker = checker
        self._read = log.reader(org_id)
        self._published: Iterator[tuple[int, bytes]] = iter(())
        self._next: int | None = None
        self._size = checker.start - 1
        self._parts: list[Subtree] = []
        self._bad: set[int] = set()
        self._signed: SignedCheckpoint | None = None
        self._recorded: RecordKey | int | None = None
        self.last: Checkpoint | None = None
        self.on_confirmed: Callable[[SignedCheckpoint], None] = lambda _: None

    @property
    def tree(self) -> list[Subtree] | None:
        """The perfect subtrees of the tree so far, left to right; None where no later root can be checked."""
        return None if self._next is None else self._parts

    def begin(self, tree: list[Subtree] | None = None) -> None:
        """Before the first record: find the next checkpoint, and expect what the latest one says.

        `tree`: the perfect subtrees over the records before, if an earlier run has verified them.
        """
        start = self._checker.start
        self._expect_latest()
        self._published = self._log.checkpoints(self._org_id, at_least=start)
        self._next = self._next_signed()
        if tree is not None:
            self._parts = tree
        elif start > 1 and self._next is not None:
            try:
                edge = tiles.read_edge(start - 1, self._read, within=self._next)
            except ValueError as error:
                self._mismatch(self._next, str(error))
                self._next = None
            else:
                self._parts = merkle.merge(edge.subtrees())

    def stop(self) -> None:
        """Check no later root: without all records before it, none can be rebuilt."""
        self._next = None

    def add(self, key: RecordKey, tx_hash: str) -> None:
        """Add the next record, as read from the bucket. After a gap no later root is checked: none can be rebuilt."""
        if self._next is None or key.sequence <= self._size:
            return
        if key.sequence != self._size + 1:
            self._next = None  # the gap itself is reported by the chain
            return
        self._recorded = key
        self._append_leaf(bytes.fromhex(tx_hash))
        if self._size == self._next:
            self._compare(self._next)

    def add_run(self, first: int, pieces: Sequence[tuple[int, int, Sequence[Subtree]]]) -> None:
        """As `add`, for consecutive records from sequence `first` on, whose leaves are hashed already.

        Each piece is the tree size after it, the time of its last record (Unix ms), and its perfect subtrees, left to
        right. A piece ends wherever there is a checkpoint. Raises ValueError where one does not.
        """
        if self._next is None:
            return
        if first != self._size + 1:
            self._next = None
            return
        for size, recorded_ms, subtrees in pieces:
            if self._next is None:
                return
            if size > self._next:
                raise ValueError(f"a checkpoint of size {self._next} lies inside a piece")
            self._parts = merkle.merge([*self._parts, *subtrees])
            self._size, self._recorded = size, recorded_ms
            if size == self._next:
                self._compare(size)

    def matches_next(self, sequence: int, tx_hash: str) -> bool:
        """Whether the record after the last one has the hash that was signed for it; True where nothing was signed.

        Call it before `finish`.
        """
        signed = None if self._next is None or sequence != self._size + 1 else self._open(self._next)
        if signed is None:
            return True
        try:
            return self._proven_leaf(sequence - 1, signed).hex() == tx_hash
        except ValueError as error:
            self._mismatch(signed.checkpoint.size, str(error))
            return True

    def finish(self) -> None:
        """After the last record: expect the records up to the next checkpoint, and check its root.

        `checkpoint`, the latest, is the only file that may get newer versions; the next one is under its own size.
        """
        size = self._next
        if size is None:
            return
        self._expect(size)
        confirmed = self.last.size if self.last else self._checker.start - 1
        if self._size == confirmed or size in self._bad:
            return
        if size - self._size > _MOST_LEAVES:
            self._mismatch(size, f"there are more than {_MOST_LEAVES:,} records from the last one to this checkpoint")
            return
        try:
            for index in range(self._size, size):
                self._append_leaf(self._leaf(index, size))
        except ValueError as error:
            self._mismatch(size, str(error))
        else:
            self._published = iter(())  # later checkpoints are not this range's
            self._compare(size)

    def _append_leaf(self, leaf: bytes) -> None:
        self._parts = merkle.merge([*self._parts, Subtree(0, merkle.leaf_hash(leaf))])
        self._size += 1

    def _compare(self, size: int) -> None:
        signed = self._open(size)
        self._next = self._next_signed()
        if signed is None:
            return
        root, checkpoint = merkle.root_of(self._parts), signed.checkpoint
        if root == checkpoint.root:
            if self._signed_in_time(signed):
                self.last = checkpoint
                self.on_confirmed(signed)
            return
        detail = f"the records up to {size} do not lead to the root that was signed for them"
        self._mismatch(size, detail, expected=checkpoint.root.hex(), found=root.hex())
        self._next = None  # no later root can be right either

    def _next_signed(self) -> int | None:
        """The next size that is signed. Files in between that have the name of a checkpoint only are reported."""
        for size, note in islice(self._published, MOST_FOREIGN):
            if self._open(size, note) is not None:
                return size
        return None

    def _signed_in_time(self, signed: SignedCheckpoint) -> bool:
        """Whether the signing key was still in use when the last record known to be covered was made."""
        at = self._recorded
        try:
            since_ms = audit_ids.decode(at.audit_id).timestamp_ms if isinstance(at, RecordKey) else at
            if since_ms is not None:
                self._log.refuse_late(signed, since_ms)
        except KeyEnded as error:
            size = signed.checkpoint.size
            self._bad.add(size)
            self._checker.report(FailureCode.BAD_SIGNATURE, size, f"the checkpoint of size {size}: {error}")
            return False
        except ValueError:
            pass  # an audit_id that is none: the chain's checker reports the record
        return True

    def _expect_latest(self) -> None:
        try:
            latest = self._log.latest(self._org_id)
        except NoteError as error:
            self._checker.report(_code(error), None, f"the latest checkpoint: {error}")
            return
        if latest is None or latest.size < self._checker.start:
            return
        signed = self._open(latest.size)
        if signed is not None and signed.checkpoint.root != latest.root:
            detail = f"two roots are signed for size {latest.size}"
            root = signed.checkpoint.root.hex()
            self._mismatch(latest.size, detail, expected=root, found=latest.root.hex())
        self._expect(latest.size)

    def _expect(self, size: int) -> None:
        """Expect the chain to reach as far as this checkpoint, and to have the signed leaf there."""
        signed = self._open(size)
        if signed is None:
            return
        try:
            leaf = self._proven_leaf(size - 1, signed)
        except ValueError as error:
            self._mismatch(size, f"the files of the tree of size {size}: {error}")
        else:
            self._checker.expect(ExpectedHash(size, leaf.hex(), f"the checkpoint of size {size}"))

    def _proven_leaf(self, index: int, signed: SignedCheckpoint) -> bytes:
        """The data of a leaf. Raises ValueError where the tree's files do not lead from it to the signed root."""
        size, root = signed.checkpoint.size, signed.checkpoint.root
        leaf = self._leaf(index, size)
        proof = merkle.inclusion_proof(index, size, tiles.node_reader(size, self._read))
        merkle.verify_inclusion(merkle.leaf_hash(leaf), index, size, proof, root)
        return leaf

    def _leaf(self, index: int, size: int) -> bytes:
        bundle = index // tiles.WIDTH
        width = min(tiles.WIDTH, size - bundle * tiles.WIDTH)
        leaves = tiles.unbundle(self._read(tiles.entries_path(bundle, width)))
        if len(leaves) != width:
            raise ValueError(f"{tiles.entries_path(bundle, width)} does not have {width} entries")
        return leaves[index % tiles.WIDTH]

    def _open(self, size: int, note: bytes | None = None) -> SignedCheckpoint | None:
        """The checkpoint of this size, its signature verified; None, and a failure, where something is wrong."""
        if size in self._bad:
            return None
        if self._signed is not None and self._signed.checkpoint.size == size:
            return self._signed
        try:
            self._signed = self._log.opened(self._org_id, size, note)
            return self._signed
        except (NoteError, EvidenceBroken) as error:
            self._bad.add(size)
            self._checker.report(_code(error), size, f"the checkpoint of size {size}: {error}")
        return None

    def _mismatch(self, size: int, detail: str, *, expected: str | None = None, found: str | None = None) -> None:
        if size not in self._bad:
            self._bad.add(size)
            self._checker.report(FailureCode.CHECKPOINT_MISMATCH, size, detail, expected=expected, found=found)


def _code(error: Exception) -> FailureCode:
    unsigned = isinstance(error, (BadSignature, NotSigned))
    return FailureCode.BAD_SIGNATURE if unsigned else FailureCode.CHECKPOINT_MISMATCH
