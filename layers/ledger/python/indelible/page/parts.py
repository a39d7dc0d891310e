# SPDX-License-Identifier: Apache-2.0
"""What an evidence page is made of.

Invariant: everything here is evidence, or somebody's word that the page says nobody checked. Nothing is judged before
the reader's browser does it: a page is made of a broken range as of a whole one, and shows where it is broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from indelible.domain import tiles
from indelible.domain.anchors import AnchorFile
from indelible.domain.bundle import Exported
from indelible.domain.findings import StoredObject
from indelible.domain.merkle import NodeReader, Subtree
from indelible.domain.tiles import FileReader

MAX_ANCHOR_BYTES = 64 * 1024
"""Of one external anchor: as much as the verifiers read of a timestamp or a proof."""


@dataclass(frozen=True, slots=True)
class PageCheckpoint:
    """A published checkpoint of the organisation's log.

    `size` is what its path says, `note` are its bytes. `ledger_proof` is the tlog-proof file that shows it in the
    ledger's own log, cosignatures included, where there is one.
    """

    size: int
    note: bytes
    ledger_proof: bytes | None = None


@dataclass(frozen=True, slots=True)
class PageAnchor:
    """An external anchor of a checkpoint of the ledger's log, as it was stored.

    `data` is None for more than `MAX_ANCHOR_BYTES`: nothing of any kind is that long.
    """

    file: AnchorFile
    data: bytes | None


@dataclass(frozen=True, slots=True)
class AnchoredCheckpoint:
    """The first of the ledger's checkpoints above the newest of the page that has external anchors.

    `size` is its own, `covers` that of the organisation's checkpoint which is a leaf of it. `proof` is a tlog-proof
    file of that leaf, with the ledger's checkpoint as it was published; None where the log's files do not yield one.
    """

    size: int
    covers: int
    proof: bytes | None
    anchors: tuple[PageAnchor, ...]


@dataclass(frozen=True, slots=True)
class PageParts:
    """Everything that goes into one page.

    `records` are in the order of keys, each with the checksum that was stored with it (or its receipt's `tx_hash`).
    `predecessor` are the bytes of the record before `first_sequence`, where that is above 1. `last_sequence` is where
    the range was to end, None for wherever the chain did. `exported` is what the exporter itself found, which a page
    cannot always see: locks, delete markers and newer versions are not in a copy.

    `checkpoints` are those of sizes inside the range, and the first that covers its end, ascending. `left` and `right`
    are what `around` gives for them. `keys` are the ledger's key statements in order.
    """

    ledger_name: str
    org_id: str
    first_sequence: int
    records: Sequence[StoredObject]
    last_sequence: int | None = None
    predecessor: bytes | None = None
    exported: Exported | None = None
    checkpoints: tuple[PageCheckpoint, ...] = ()
    left: tuple[Subtree, ...] = ()
    right: tuple[Subtree, ...] = ()
    keys: tuple[bytes, ...] = ()
    anchored: AnchoredCheckpoint | None = None


def around(first: int, last: int, size: int, read: FileReader) -> tuple[tuple[Subtree, ...], tuple[Subtree, ...]]:
    """The tree of `size` left of record `first` and right of record `last`, as its fewest perfect subtrees.

    With the records from `first` to `last` in between, the roots of all sizes from `first` to `last`, and of `size`,
    can be rebuilt. `size` is the first checkpoint's that covers `last`, or the last one's before it when none does;
    `read` reads the log's files. Raises ValueError where a tile is missing or does not have its width.
    """
    node = tiles.node_reader(size, read)
    return _perfect(0, min(first - 1, size), node), _perfect(last, size, node)


def _perfect(low: int, high: int, node: NodeReader) -> tuple[Subtree, ...]:
    """The leaves from `low` up to `high` (not included) as perfect subtrees, each at a multiple of its width."""
    found: list[Subtree] = []
    while low < high:
        height = (high - low).bit_length() - 1
        if low:
            height = min(height, (low & -low).bit_length() - 1)
        found.append(Subtree(height, node(height, low >> height)))
        low += 1 << height
    return tuple(found)
