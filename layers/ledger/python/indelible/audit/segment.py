# SPDX-License-Identifier: Apache-2.0
"""What a process finds in a part of a source, and returns to another: a faultless run, or None.

Invariant: there is a segment only where `ChainChecker.observe` would have found no failure in any of its records. No
failure is reported here: `ChainChecker` reads the same records again, and reports it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import rfc8785

from indelible.audit import fast_reader
from indelible.audit.fast_reader import Read
from indelible.domain import canonical, record
from indelible.domain.findings import ExpectedHash, Run
from indelible.domain.merkle import Subtree, subtrees
from indelible.domain.record import Head, Record
from indelible.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Expected:
    """What a scan compares records with, beside each other.

    `hashes` are those expected for a sequence. `sizes` are the sizes of all checkpoints, ascending; None where no tree
    is wanted. `strict` parses every record whole.
    """

    org_id: str
    hashes: Mapping[int, Sequence[ExpectedHash]] = field(default_factory=dict)
    sizes: Sequence[int] | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A faultless run, and its pieces of the tree, as `RootChecker.add_run` takes them."""

    run: Run
    pieces: tuple[tuple[int, int, tuple[Subtree, ...]], ...]


def read(
    data: Sequence[bytes], expected: Expected, version_of: Callable[[int], str | None] = lambda _: None
) -> Read | None:
    """Read records that follow each other without fault, all of one organisation; None where they do not.

    None also where one does not have the expected hash, or contradicts its receipt. `version_of` gives the version id
    of the nth record, where the source shows it.
    """
    found = fast_reader.read(data, expected.org_id)
    if found is None or (expected.strict and not all(map(is_canonical, data))):
        return None
    for sequence in min(expected.hashes, found.sequences, key=len):
        if sequence in found.sequences and sequence in expected.hashes:
            at = sequence - found.first
            entry = record.read(data[at])
            if not all(_is_expected(entry, one, version_of(at)) for one in expected.hashes[sequence]):
                return None
    return found


def _is_expected(entry: Record, expected: ExpectedHash, version_id: str | None) -> bool:
    if expected.tx_hash != entry.tx_hash:
        return False
    return expected.receipt is None or not any(expected.receipt.contradictions(entry, version_id))


def is_canonical(data: bytes) -> bool:
    """Whether the whole record is the RFC 8785 serialization of one JSON object: hash and shape leave that open.

    What is longer than a record may be is not parsed: it would take hundreds of megabytes.
    """
    if len(data) > record.MAX_RECORD_BYTES:
        return False
    try:
        return rfc8785.dumps(cast("canonical.JsonValue", canonical.decode(data))) == data
    except (InvalidRequest, ValueError, RecursionError):
        return False


def segment_of(found: Read, expected: Expected) -> Segment:
    """These records as a segment. The caller has compared them with their keys, checksums and locks."""
    end = Head(found.sequences[-1], found.hashes[-1].decode(), found.times_ms[-1])
    run = Run(found.first, found.prev_hashes[0].decode(), found.times_ms[0], end)
    return Segment(run, _pieces(found, expected.sizes) if expected.sizes is not None else ())


def _pieces(found: Read, sizes: Sequence[int]) -> tuple[tuple[int, int, tuple[Subtree, ...]], ...]:
    """The records as pieces of the tree: one ends at each checkpoint, and at the last record."""
    before, end = found.first - 1, found.sequences[-1]
    if not sizes or sizes[-1] <= before:
        return ()  # no root is signed for any of these
    cuts = [*sizes[bisect_right(sizes, before) : bisect_right(sizes, end)]]
    if not cuts or cuts[-1] != end:
        cuts.append(end)
    pieces = []
    for size in cuts:
        leaves = found.digests[before - found.first + 1 : size - found.first + 1]
        pieces.append((size, found.times_ms[size - found.first], subtrees(leaves, before)))
        before = size
    return tuple(pieces)
