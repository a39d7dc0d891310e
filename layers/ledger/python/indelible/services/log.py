# SPDX-License-Identifier: Apache-2.0
"""Read a signed Merkle log from its static files: its checkpoints, and proofs in them.

Invariant: nothing is trusted that the ledger's signature does not cover. The right edge of a tree counts only after it
was found to lead to the root that was signed for its size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from itertools import islice
from typing import TypeAlias, TypeVar

from indelible.domain import merkle, tiles
from indelible.domain.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    open_checkpoint,
    origin_of,
)
from indelible.domain.keyring import KeyRing
from indelible.domain.merkle import Hash
from indelible.domain.note import NoteError
from indelible.domain.proof import TlogProof, verify_tlog_proof
from indelible.domain.tiles import EMPTY, Edge
from indelible.errors import EvidenceBroken
from indelible.ports import StoredLogFiles

LEDGER = "_ledger"
"""The owner of the ledger's own log, and of the key statements."""

LATEST = "checkpoint"

Reading: TypeAlias = Callable[[str, str], bytes | None]
"""Owner and path → the bytes of a file; None where there is none."""

T = TypeVar("T")

MOST_FOREIGN = 100
"""Most foreign files that are skipped: they have the name of a checkpoint, and no signature by the ledger."""


class LogReader:
    """Reads published logs. `keys` returns the ring of the keys whose signatures count.

    A checkpoint is the first version of its file, which takes two requests: its exact bytes are a leaf of the ledger's
    log, and external timestamps are for them. Tiles are confirmed by the signed root: `current`, where it is given,
    reads the newest version in one request, and the first versions are read only where those do not fit.
    """

    def __init__(
        self,
        *,
        files: StoredLogFiles,
        ledger_name: str,
        keys: Callable[[], KeyRing],
        current: Reading | None = None,
    ) -> None:
        self._files = files
        self._current = current
        self._ledger_name = ledger_name
        self._keys = keys

    def origin(self, owner: str) -> str:
        """`{ledger_name}/{org_id}`, and `{ledger_name}` for the ledger's own log."""
        return origin_of(self._ledger_name, None if owner == LEDGER else owner)

    def checkpoints(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:
        """Sizes of published checkpoints and their notes, not yet `opened`, ascending, read ahead."""
        return self._files.checkpoints(owner, at_least=at_least)

    def opened(self, owner: str, size: int, note: bytes | None = None) -> SignedCheckpoint:
        """The checkpoint of this size, with its signature verified. `note` is its file, where that was read already.

        Raises EvidenceBroken when there is none, NoteError when it is not what the ledger signed for this size.
        """
        note = self._files.read(owner, checkpoint_path(size)) if note is None else note
        if note is None:
            raise EvidenceBroken(f"{self.origin(owner)}: there is no checkpoint of size {size}")
        found = open_checkpoint(note, origin=self.origin(owner), public_keys=self._keys().public_keys)
        if found.checkpoint.size != size:
            raise NoteError(f"the checkpoint says size {found.checkpoint.size}")
        return found

    def latest(self, owner: str) -> Checkpoint | None:
        """The checkpoint in the file `checkpoint`, verified; None when there is none. Raises NoteError.

        A writer may have replaced it by an older one. `sizes` cannot be set back.
        """
        note = self._files.read(owner, LATEST)
        if note is None:
            return None
        return open_checkpoint(note, origin=self.origin(owner), public_keys=self._keys().public_keys).checkpoint

    def sizes(self, owner: str, *, at_least: int) -> Iterator[int]:
        """Sizes of published checkpoints, ascending."""
        return self._files.sizes(owner, at_least=at_least)

    def beyond(self, owner: str, size: int, *, known: int) -> tuple[int, frozenset[int]]:
        """The largest signed size beyond `size` (`size` where there is none), and the sizes of foreign files beyond it.

        The search ends at the first signed size beyond `known`: after a restore of the table there may be thousands.

        Raises EvidenceBroken where there are more than MOST_FOREIGN foreign files.
        """
        largest, foreign = size, set[int]()
        for found in self.sizes(owner, at_least=size + 1):
            try:
                self.opened(owner, found)
                largest = found
            except NoteError:
                foreign.add(found)
            if largest > known:
                break
            if len(foreign) > MOST_FOREIGN:
                raise EvidenceBroken(
                    f"{self.origin(owner)}: more than {MOST_FOREIGN} checkpoint files that no key of the ledger signed"
                )
        return largest, frozenset(foreign)

    def proof(self, owner: str, index: int) -> TlogProof | None:
        """The inclusion proof of a leaf (index from 0) in the first checkpoint that covers it; None when none does yet.

        Raises EvidenceBroken where the files for it are missing, or not what was signed.
        """
        wrong: EvidenceBroken | None = None
        for size in islice(self.sizes(owner, at_least=index + 1), MOST_FOREIGN):
            try:
                signed = self.opened(owner, size)
            except NoteError as error:  # a foreign file: look at the next one
                wrong = wrong or EvidenceBroken(f"{self.origin(owner)}: {error}")
            else:
                return self._proofs(owner, [index], signed)[0]
        if wrong is not None:
            raise wrong
        return None

    def proofs(self, owner: str, indices: Iterable[int], *, size: int) -> list[TlogProof]:
        """The inclusion proofs of leaves in the checkpoint of this size, which covers them. Raises EvidenceBroken."""
        try:
            return self._proofs(owner, indices, self.opened(owner, size))
        except NoteError as error:
            raise EvidenceBroken(f"{self.origin(owner)}: {error}") from None

    def _proofs(self, owner: str, indices: Iterable[int], signed: SignedCheckpoint) -> list[TlogProof]:
        size, root, note, wanted = signed.checkpoint.size, signed.checkpoint.root, signed.note, list(indices)

        def prove(read: tiles.FileReader) -> list[TlogProof]:
            node = tiles.node_reader(size, read)
            proofs = [(index, merkle.inclusion_proof(index, size, node)) for index in wanted]
            for index, path in proofs:
                merkle.verify_inclusion(node(0, index), index, size, path, root)
            return [TlogProof(index, tuple(path), note) for index, path in proofs]

        return self._from_tiles(owner, prove)

    def verify(self, owner: str, proof: TlogProof, leaf_data: bytes, *, recorded_ms: int | None = None) -> Checkpoint:
        """Verify an inclusion proof of this leaf, and return its checkpoint. Raises EvidenceBroken.

        With `recorded_ms`, the time of the leaf's record (Unix milliseconds), the checkpoint must not be signed by a
        key that had been replaced by then.
        """
        try:
            keys = self._keys().public_keys
            signed = verify_tlog_proof(proof, leaf_data, origin=self.origin(owner), public_keys=keys)
            if recorded_ms is not None:
                self.refuse_late(signed, recorded_ms)
            return signed.checkpoint
        except ValueError as error:
            raise EvidenceBroken(f"{self.origin(owner)}: {error}; indelible verify finds out where") from None

    def refuse_late(self, signed: SignedCheckpoint, recorded_ms: int) -> None:
        """Raise KeyEnded for a checkpoint, over a record of this time, by keys that had been replaced by then."""
        self._keys().refuse_late(signed, recorded_ms)

    def consistency(self, owner: str, old: int, new: int) -> tuple[Hash, ...]:
        """The consistency proof from the tree of size `old` to that of size `new` (RFC 9162 §2.1.4.1), not verified."""
        return tuple(merkle.consistency_proof(old, new, tiles.node_reader(new, self.reader(owner))))

    def edge(self, owner: str, size: int) -> Edge:
        """The right edge of the published tree of this size, checked against its signed root. Raises EvidenceBroken."""
        if size == 0:
            return EMPTY
        root = self.signed_root(owner, size).root

        def read_edge(read: tiles.FileReader) -> Edge:
            edge = tiles.read_edge(size, read)
            if edge.root() != root:
                raise ValueError(f"the tiles do not lead to the root of checkpoint {size}")
            return edge

        return self._from_tiles(owner, read_edge)

    def signed_root(self, owner: str, size: int) -> Checkpoint:
        """As `opened`, but raises EvidenceBroken for every failure."""
        try:
            return self.opened(owner, size).checkpoint
        except NoteError as error:
            raise EvidenceBroken(f"{self.origin(owner)}: {error}") from None

    def reader(self, owner: str) -> tiles.FileReader:
        """A reader of first versions that reads each file once. It raises ValueError for one that does not exist."""
        return _cached(self._files.read, owner)

    def _from_tiles(self, owner: str, make: Callable[[tiles.FileReader], T]) -> T:
        """The result of `make`, which raises ValueError where the tiles do not fit. Raises EvidenceBroken."""
        if self._current is not None:
            with suppress(ValueError):
                return make(_cached(self._current, owner))
        try:
            return make(self.reader(owner))
        except ValueError as error:
            raise EvidenceBroken(f"{self.origin(owner)}: {error}") from None


def _cached(reading: Reading, owner: str) -> tiles.FileReader:
    @cache
    def read(path: str) -> bytes:
        data = reading(owner, path)
        if data is None:
            raise ValueError(f"there is no {path}")
        return data

    return read


def checkpoint_path(size: int) -> str:
    """`checkpoints/{size:012d}`."""
    return f"checkpoints/{size:012d}"
