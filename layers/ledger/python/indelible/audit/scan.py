# SPDX-License-Identifier: Apache-2.0
"""What one process finds out about a part of a source, and hands to another: a faultless run, or nothing.

Invariant: a scan gives a run only where `ChainChecker.observe` would have found nothing in any of its records. No
failure is ever named here: the slow checker, which knows what to say, reads the same records again.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import rfc8785

from indelible.audit import reading
from indelible.audit.reading import Read
from indelible.domain import canonical
from indelible.domain.findings import Run
from indelible.domain.merkle import Subtree
from indelible.domain.record import Head
from indelible.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Ask:
    """What a scan holds records against beside each other.

    `promised` are the hashes that somebody named for a sequence. `sizes` are the sizes of all checkpoints, ascending;
    None where no tree is wanted. `strict` parses every record wholly.
    """

    org_id: str
    promised: Mapping[int, Collection[str]] = field(default_factory=dict)
    sizes: Sequence[int] | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Scanned:
    """A faultless run, and what the log needs of it: tree sizes, times of their last records, subtrees."""

    run: Run
    pieces: tuple[tuple[int, int, tuple[Subtree, ...]], ...]


def read(data: Sequence[bytes], ask: Ask) -> Read | None:
    """Read records that follow each other without fault, all of one organisation; None where they do not."""
    found = reading.read(data, ask.org_id)
    return None if ask.strict and not all(map(is_canonical, data)) else found


def is_canonical(data: bytes) -> bool:
    """Whether the whole record is the RFC 8785 serialization of one JSON object: hash and shape leave that open."""
    try:
        return rfc8785.dumps(cast("canonical.JsonValue", canonical.decode(data))) == data
    except (InvalidRequest, ValueError, RecursionError):
        return False


def scanned(found: Read, ask: Ask) -> Scanned | None:
    """The run that these records are, once their surroundings are found to fit; None where a promise is not kept."""
    last = found.first + len(found.digests) - 1
    for sequence, hashes in ask.promised.items():
        if found.first <= sequence <= last and set(hashes) != {found.digests[sequence - found.first].hex()}:
            return None
    end = Head(last, found.digests[-1].hex(), found.last_ms)
    run = Run(found.first, found.prev_hash, found.first_ms, end)
    return Scanned(run, _pieces(found, ask.sizes) if ask.sizes is not None else ())


def _pieces(found: Read, sizes: Sequence[int]) -> tuple[tuple[int, int, tuple[Subtree, ...]], ...]:
    """The records as parts of the tree, cut wherever a checkpoint is."""
    first, end = found.first - 1, found.first - 1 + len(found.digests)
    cuts = [*sizes[bisect_right(sizes, first) : bisect_right(sizes, end)]]
    if not cuts or cuts[-1] != end:
        cuts.append(end)
    if not sizes or sizes[-1] <= first:
        return ()  # no root is signed for any of these
    pieces = []
    for cut in cuts:
        leaves = found.digests[first - found.first + 1 : cut - found.first + 1]
        pieces.append((cut, found.time_ms(cut), subtrees(leaves, first)))
        first = cut
    return tuple(pieces)


def subtrees(leaves: Sequence[bytes], first: int) -> tuple[Subtree, ...]:
    """The perfect subtrees over neighbouring leaf data, left to right; `first` is the index of the first leaf."""
    sha256 = hashlib.sha256
    row = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    left: list[Subtree] = []
    right: list[Subtree] = []
    height, index = 0, first
    while row:
        if index & 1:
            left.append(Subtree(height, row[0]))
            row, index = row[1:], index + 1
        if len(row) & 1:
            right.append(Subtree(height, row.pop()))
        pairs = iter(row)
        row = [sha256(b"\x01" + one + other).digest() for one, other in zip(pairs, pairs, strict=True)]
        height, index = height + 1, index >> 1
    return (*left, *reversed(right))
