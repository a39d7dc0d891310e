# SPDX-License-Identifier: Apache-2.0
"""Which files of the log an offline verifier needs for a range.

Invariant: they depend on the range and on the first checkpoint that covers its end, and not on what is added to the log
later. A file that is missing or malformed in the bucket is missing or malformed in the bundle: an offline verifier
comes to the same verdict.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from indelible.domain import merkle, tiles
from indelible.ports import StoredLogFiles
from indelible.services.log import checkpoint_path


@dataclass(slots=True)
class LogPart:
    """The files below `{org}/_log/` for one range, by path, and the checkpoints' sizes among them, ascending."""

    sizes: list[int] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)


def log_part(files: StoredLogFiles, org_id: str, *, first: int, last: int) -> LogPart:
    """The part of an organisation's log that is about the records `first` to `last`.

    Every checkpoint inside the range and the first that covers its end; for the smallest of them the right edge of the
    tree before the range; for the largest the way from its last leaf to the root, and the leaves after the range.
    """
    part = LogPart()

    def read(path: str) -> bytes:
        data = part.files[path] if path in part.files else files.read(org_id, path)
        if data is None:
            raise ValueError(f"there is no {path}")
        part.files[path] = data
        return data

    for size in _sizes(files, org_id, first, last):
        part.sizes.append(size)
        with suppress(ValueError):
            read(checkpoint_path(size))
    if part.sizes:
        smallest, largest = part.sizes[0], part.sizes[-1]
        if first > 1:
            with suppress(ValueError):
                tiles.read_edge(first - 1, read, within=smallest)
        with suppress(ValueError):
            merkle.inclusion_proof(largest - 1, largest, tiles.node_reader(largest, read))
        with suppress(ValueError):  # not one after the other to the end: a junk checkpoint may say any size
            for path in _leaves(min(last, largest - 1), largest):
                read(path)
    return part


def _sizes(files: StoredLogFiles, org_id: str, first: int, last: int) -> Iterator[int]:
    for size in files.sizes(org_id, at_least=first):
        yield size
        if size >= last:
            return


def _leaves(start: int, size: int) -> Iterator[str]:
    """The bundles with the leaves from index `start` to the end of the tree."""
    for bundle in range(start // tiles.WIDTH, -(-size // tiles.WIDTH)):
        yield tiles.entries_path(bundle, min(tiles.WIDTH, size - bundle * tiles.WIDTH))
