# SPDX-License-Identifier: Apache-2.0
"""The input of an evidence page.

Invariant: everything here is evidence, or a statement that the page labels as unchecked. Verification happens only in
the reader's browser: a broken range gives a page, too, which shows where it is broken.
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
"""Limit for one external anchor, equal to that of the verifiers of timestamps and proofs."""


@dataclass(frozen=True, slots=True)
class PageCheckpoint:
    """A published checkpoint of the organisation's log.

    `size` is from its path, `note` are its bytes. `ledger_proof` is the tlog-proof file of its leaf in the ledger's own
    log, including cosignatures, if there is one.
    """

    size: int
    note: bytes
    ledger_proof: bytes | None = None


@dataclass(frozen=True, slots=True)
class PageAnchor:
    """An external anchor of a checkpoint of the ledger's log, as it was stored.

    `data` is None for more than `MAX_ANCHOR_BYTES`, which no valid anchor has.
    """

    file: AnchorFile
    data: bytes | None


@dataclass(frozen=True, slots=True)
class AnchoredCheckpoint:
    """The first externally anchored checkpoint of the ledger's log that covers the page's newest checkpoint.

    `size` is its size, `covers` that of the organisation's checkpoint which is one of its leaves. `proof` is a
    tlog-proof file of that leaf, with the ledger's checkpoint as it was published; None if the log's files do not
    one.
    """

    size: int
    covers: int
    proof: bytes | None
    anchors: tuple[PageAnchor, ...]


@dataclass(frozen=True, slots=True)
class PageParts:
    """Everything that goes into one page.

    `records` are in the order of their keys, each with the checksum that was stored with it (or its receipt's
    `tx_hash`). `predecessor` are the bytes of the record before `first_sequence`, if that is above 1. `last_sequence`
    is the requested end of the range, None for the end of the chain. `exported` is what the exporter found, which
    includes what a copy does not show: locks, delete markers and newer versions.

    `checkpoints` are those of sizes inside the range, and the first that covers its end, ascending. `left` and `right`
    are the results of `subtrees_around`. `keys` are the ledger's key statements in order.
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


def subtrees_around(
    first: int, last: int, size: int, read: FileReader
) -> tuple[tuple[Subtree, ...], tuple[Subtree, ...]]:
    """The parts of a tree left of record `first` and right of record `last`, each as its fewest perfect subtrees.

    Together with the records from `first` to `last` they give the roots of all sizes from `first` to `last`, and of
    `size`. `size` is that of the first checkpoint that covers `last`, or of the latest one if none does; `read` reads
    the log's files. Raises ValueError if a tile is missing or does not have its width.
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
