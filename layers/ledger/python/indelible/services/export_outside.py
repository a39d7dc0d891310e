# SPDX-License-Identifier: Apache-2.0
"""What leads from an organisation's checkpoints to the outside: the ledger's own log, its anchors, the signing keys.

Invariant: for each checkpoint of the range the proof that the ledger's log holds it; the ledger checkpoint of that
proof; and the first ledger checkpoint from there on that anybody outside has vouched for, with what it takes to find
the leaf in it, and with every file about it. What is missing or malformed is left to whoever verifies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import TypeAlias

from indelible.domain import merkle, tiles
from indelible.domain.anchors import AnchorFile
from indelible.domain.checkpoint import MAX_SIZE, parse_checkpoint
from indelible.domain.ledger import ledger_proof_path
from indelible.domain.note import NoteError
from indelible.domain.proof import parse_tlog_proof
from indelible.page.parts import PageAnchor
from indelible.ports import StoredLogFiles
from indelible.services.log import LEDGER, checkpoint_path

Anchored: TypeAlias = Callable[[int], Iterator[tuple[int, AnchorFile]]]
"""Files about ledger checkpoints of at least this size, ascending by size, lazily."""

_MOST_ANCHORS = 10_000
_KINDS = {"cosignature": "witness", "token": "rfc3161", "pending": "opentimestamps", "bitcoin": "opentimestamps"}


@dataclass(slots=True)
class OutsidePart:
    """Proofs by the checkpoint's size; files below `_ledger/_log/` by path; what the page says of the anchors."""

    proofs: dict[int, bytes] = field(default_factory=dict)
    ledger: dict[str, bytes] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict)
    anchors: list[PageAnchor] = field(default_factory=list)


def outside_part(files: StoredLogFiles, anchored: Anchored, org_id: str, sizes: list[int]) -> OutsidePart:
    """What there is about these checkpoints of an organisation."""
    part = OutsidePart()
    for generation in range(1, 10_000):
        statement = files.read(LEDGER, f"keys/{generation:04d}")
        if statement is None:
            break
        part.keys[f"keys/{generation:04d}"] = statement
    places: list[tuple[int, int]] = []
    for size in sizes:
        proof = files.read(org_id, ledger_proof_path(size))
        if proof is not None:
            part.proofs[size] = proof
            with suppress(NoteError):
                parsed = parse_tlog_proof(proof)
                places.append((parse_checkpoint(parsed.checkpoint.text).size, parsed.index))
    reader = _Reader(files, part.ledger)
    for size, _ in places:
        with suppress(ValueError):
            reader.read(checkpoint_path(size))
    if places:
        _add_anchors(reader, anchored, sorted(places), part)
    return part


@dataclass(frozen=True, slots=True)
class _Reader:
    files: StoredLogFiles
    kept: dict[str, bytes]

    def read(self, path: str) -> bytes:
        """Read a file of the ledger's log, and keep it. Raises ValueError for one that is not there."""
        data = self.kept[path] if path in self.kept else self.files.read(LEDGER, path)
        if data is None:
            raise ValueError(f"there is no {path}")
        self.kept[path] = data
        return data


def _add_anchors(reader: _Reader, anchored: Anchored, places: list[tuple[int, int]], part: OutsidePart) -> None:
    """For each place (a ledger size and a leaf's index) the first size from there on that has anchors."""
    waiting = list(places)
    stored = islice(anchored(places[0][0]), _MOST_ANCHORS)
    for size, group in groupby(stored, key=lambda one: one[0]):
        reached = [index for covering, index in waiting if covering <= size <= MAX_SIZE]
        if reached and reader.files.read(LEDGER, checkpoint_path(size)) is not None:
            with suppress(ValueError):
                reader.read(checkpoint_path(size))
                for index in reached:
                    merkle.inclusion_proof(index, size, tiles.node_reader(size, reader.read))
            for _, file in group:
                with suppress(ValueError):
                    reader.read(file.path(size))
                    part.anchors.append(_told(size, file))
            waiting = [place for place in waiting if place[0] > size]
        if not waiting:
            return


def _told(size: int, file: AnchorFile) -> PageAnchor:
    detail = f"Bitcoin block {file.height}" if file.kind == "bitcoin" else "pending" if file.kind == "pending" else None
    return PageAnchor(kind=_KINDS[file.kind], name=file.name, ledger_size=size, detail=detail)
