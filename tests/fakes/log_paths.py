# SPDX-License-Identifier: Apache-2.0
"""Which files the log of a tree has, counted from the size alone (C2SP tlog-tiles)."""

from __future__ import annotations

from collections.abc import Iterator

from indelible.domain.tiles import HEIGHT, WIDTH, entries_path, tile_path


def all_paths(size: int) -> Iterator[str]:
    """Every file that a reader of a tree of this size may want, in no particular order."""
    for index in range(-(-size // WIDTH)):
        yield entries_path(index, min(WIDTH, size - index * WIDTH))
    level = 0
    while count := size >> HEIGHT * level:
        for index in range(-(-count // WIDTH)):
            yield tile_path(level, index, min(WIDTH, count - index * WIDTH))
        level += 1
