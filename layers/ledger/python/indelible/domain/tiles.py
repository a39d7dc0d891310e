# SPDX-License-Identifier: Apache-2.0
"""The log as static files (c2sp.org/tlog-tiles): the file of each hash, and the files written when the tree grows.

Invariant: a full tile never changes, and a partial one has its width in its name, so no file is ever overwritten.
A tile at level L holds up to 256 hashes of perfect subtrees of height 8·L; an entry bundle holds the leaf data
itself, here always the 32 raw bytes of a `tx_hash`. Adding n leaves to a tree of N reads one bundle and the partial
tiles above it, and writes about 2·n/256 + 2·log₂₅₆N objects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TypeAlias

from indelible.domain import merkle
from indelible.domain.merkle import Hash, NodeReader, Subtree

HEIGHT = 8
WIDTH = 1 << HEIGHT
LEAF_BYTES = 32
MAX_FILE_BYTES = 1 << 20
"""Limit for reading a file of a log; tiles, notes and proofs have some kilobytes."""
_LENGTH = LEAF_BYTES.to_bytes(2, "big")

FileReader: TypeAlias = Callable[[str], bytes]
"""A path below the log's prefix → the file's bytes."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to write below the log's prefix."""

    path: str
    data: bytes


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """`tile/<L>/<N>[.p/<W>]`, N in groups of three digits: 1234067 is `x001/x234/067`."""
    return f"tile/{level}/{_grouped(index)}{_partial(width)}"


def entries_path(index: int, width: int = WIDTH) -> str:
    """`tile/entries/<N>[.p/<W>]`."""
    return f"tile/entries/{_grouped(index)}{_partial(width)}"


def bundle(leaves: Sequence[bytes]) -> bytes:
    """An entry bundle: each leaf after its length (big-endian uint16). Raises ValueError for leaves not of 32 bytes."""
    if any(len(leaf) != LEAF_BYTES for leaf in leaves):
        raise ValueError("a leaf of this log has 32 bytes")
    return b"".join(_LENGTH + leaf for leaf in leaves)


def unbundle(data: bytes) -> list[bytes]:
    """The leaf data in an entry bundle. Raises ValueError unless all entries have 32 bytes."""
    step = len(_LENGTH) + LEAF_BYTES
    entries = [data[start : start + step] for start in range(0, len(data), step)]
    if any(len(entry) != step or not entry.startswith(_LENGTH) for entry in entries):
        raise ValueError("an entry bundle of this log has entries of 32 bytes only")
    return [entry[len(_LENGTH) :] for entry in entries]


def partial_width(level: int, size: int) -> int:
    """The number of hashes in the partial tile of a level, in a tree of this size; 0 if there is none."""
    return (size >> HEIGHT * level) % WIDTH


@dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of a tree: all that is needed to append to it.

    `leaves` is the data in the partial entry bundle; `rows` are the hashes in the partial tile of each level from 1
    upwards (level 0 follows from the leaves).
    """

    size: int
    leaves: tuple[bytes, ...] = ()
    rows: tuple[tuple[Hash, ...], ...] = ()

    def subtrees(self) -> list[Subtree]:
        """The perfect subtrees that the tree consists of, left to right."""
        high_to_low = [
            Subtree(HEIGHT * level, found)
            for level, row in reversed(list(enumerate(self.rows, start=1)))
            for found in row
        ]
        return [*high_to_low, *(Subtree(0, merkle.leaf_hash(leaf)) for leaf in self.leaves)]

    def root(self) -> Hash:
        """The root of the tree."""
        return merkle.root_of(self.subtrees())


EMPTY = Edge(size=0)


def read_edge(size: int, read: FileReader, *, within: int | None = None) -> Edge:
    """The right edge of a tree of this size, from its own files or from those of the larger tree `within`.

    Raises ValueError if a file does not have the width in its name.
    """
    whole = within or size

    def row(level: int, path: Callable[[int, int], str], entries: Callable[[bytes], list[bytes]]) -> tuple[bytes, ...]:
        wanted = partial_width(level, size)
        if not wanted:
            return ()
        index = size >> HEIGHT * (level + 1)
        width = min(WIDTH, (whole >> HEIGHT * level) - index * WIDTH)
        found = entries(read(path(index, width)))
        if len(found) != width:
            raise ValueError(f"{path(index, width)} does not have {width} entries")
        return tuple(found[:wanted])

    levels = max(0, (size.bit_length() - 1) // HEIGHT)
    rows = tuple(row(level, partial(tile_path, level), split) for level in range(1, levels + 1))
    return Edge(size, row(0, entries_path, unbundle), rows)


def grow(edge: Edge, added: Sequence[bytes]) -> tuple[Edge, list[File]]:
    """Append leaf data: the new edge, and the files to write, which are full and partial tiles and entry bundles.

    Appending nothing writes nothing. Raises ValueError unless the leaves have 32 bytes.
    """
    if not added:
        return edge, []
    files: list[File] = []
    leaves = [*edge.leaves, *added]
    whole = len(leaves) // WIDTH * WIDTH
    first = edge.size >> HEIGHT
    for offset in range(0, len(leaves), WIDTH):
        part = leaves[offset : offset + WIDTH]
        files.append(File(entries_path(first + offset // WIDTH, len(part)), bundle(part)))
    level, rows = 0, [list(row) for row in edge.rows]
    row, fresh = [merkle.leaf_hash(leaf) for leaf in leaves], True
    new_rows: list[tuple[Hash, ...]] = []
    while fresh:  # a level changes only when a tile of the level below became full
        index = edge.size >> HEIGHT * (level + 1)
        carried: list[Hash] = []
        for offset in range(0, len(row), WIDTH):
            part = row[offset : offset + WIDTH]
            files.append(File(tile_path(level, index + offset // WIDTH, len(part)), b"".join(part)))
            if len(part) == WIDTH:
                carried.append(merkle.perfect_root(part))
        if level > 0:
            new_rows.append(tuple(row[len(carried) * WIDTH :]))
        row, fresh = (rows[level] if level < len(rows) else []) + carried, bool(carried)
        level += 1
    kept = edge.rows[len(new_rows) :]
    grown = Edge(edge.size + len(added), tuple(leaves[whole:]), (*new_rows, *kept))
    return grown, files


def node_reader(size: int, read: FileReader) -> NodeReader:
    """A reader of perfect subtrees of a tree of this size, which caches their roots. `read` should cache files.

    The reader raises ValueError for a subtree that is not completely in the tree, and for a tile of the wrong width.
    """

    @cache  # neighbouring leaves share most of their path
    def node(height: int, index: int) -> Hash:
        if not 0 < (index + 1) << height <= size:
            raise ValueError("that subtree is not in the tree")
        level, rest = divmod(height, HEIGHT)
        start = index << rest
        tile = start >> HEIGHT
        width = min(WIDTH, (size >> HEIGHT * level) - tile * WIDTH)
        hashes = split(read(tile_path(level, tile, width)))
        if len(hashes) != width:
            raise ValueError(f"tile {tile} of level {level} does not have {width} hashes")
        start %= WIDTH
        return merkle.perfect_root(hashes[start : start + (1 << rest)])

    return node


def split(data: bytes) -> list[Hash]:
    """The hashes in a tile. Raises ValueError if its length is not a multiple of 32."""
    if len(data) % LEAF_BYTES:
        raise ValueError("a tile consists of hashes of 32 bytes")
    return [data[start : start + LEAF_BYTES] for start in range(0, len(data), LEAF_BYTES)]


def _grouped(index: int) -> str:
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])


def _partial(width: int) -> str:
    return "" if width == WIDTH else f".p/{width}"
