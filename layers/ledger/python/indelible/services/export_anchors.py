# SPDX-License-Identifier: Apache-2.0
"""Which files anchor an organisation's checkpoints: of the ledger's own log, its external anchors, the signing keys.

Invariant: for each checkpoint of the range, the proof that the ledger's log includes it; the ledger checkpoint of that
proof; and the first ledger checkpoint from there on that has external anchors, with the tiles that prove the leaf in
it, and with all its anchors. What is missing or malformed is for the verifier to report.
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
from indelible.domain.note import NoteError, parse_note
from indelible.domain.proof import TlogProof, parse_tlog_proof
from indelible.page.parts import MAX_ANCHOR_BYTES, AnchoredCheckpoint, PageAnchor
from indelible.ports import StoredLogFiles
from indelible.services.log import LEDGER, checkpoint_path

Anchored: TypeAlias = Callable[[int], Iterator[tuple[int, AnchorFile]]]
"""Files about ledger checkpoints of at least this size, ascending by size, lazily."""

_MOST_ANCHORS = 10_000
_MOST_SHOWN = 100
"""On the page, for one checkpoint: more than any ledger has providers."""


@dataclass(slots=True)
class AnchorsPart:
    """Proofs by the checkpoint's size; files below `_ledger/_log/` by path; what of them goes into the page."""

    proofs: dict[int, bytes] = field(default_factory=dict)
    ledger: dict[str, bytes] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict)
    above: AnchoredCheckpoint | None = None


def anchors_part(files: StoredLogFiles, anchored: Anchored, org_id: str, sizes: list[int]) -> AnchorsPart:
    """The files that anchor these checkpoints of an organisation, as far as they exist."""
    part = AnchorsPart()
    for generation in range(1, 10_000):
        statement = files.read(LEDGER, f"keys/{generation:04d}")
        if statement is None:
            break
        part.keys[f"keys/{generation:04d}"] = statement
    places: list[_Place] = []
    for size in sizes:
        proof = files.read(org_id, ledger_proof_path(size))
        if proof is not None:
            part.proofs[size] = proof
            with suppress(NoteError):
                parsed = parse_tlog_proof(proof)
                places.append(_Place(parse_checkpoint(parsed.checkpoint.text).size, parsed.index, size))
    reader = _Reader(files, part.ledger)
    for place in places:
        with suppress(ValueError):
            reader.read(checkpoint_path(place.covered_from))
    if places:
        _add_anchors(reader, anchored, sorted(places), part)
    return part


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """The checkpoint of size `of` is leaf `index` of the ledger's log, in trees from size `covered_from` on."""

    covered_from: int
    index: int
    of: int


@dataclass(frozen=True, slots=True)
class _Reader:
    files: StoredLogFiles
    kept: dict[str, bytes]

    def read(self, path: str) -> bytes:
        """Read a file of the ledger's log, and keep it. Raises ValueError for one that does not exist."""
        data = self.kept[path] if path in self.kept else self.files.read(LEDGER, path)
        if data is None:
            raise ValueError(f"there is no {path}")
        self.kept[path] = data
        return data


def _add_anchors(reader: _Reader, anchored: Anchored, places: list[_Place], part: AnchorsPart) -> None:
    """Add, for each place, the first size from there on that has anchors."""
    waiting = list(places)
    stored = islice(anchored(places[0].covered_from), _MOST_ANCHORS)
    for size, group in groupby(stored, key=lambda one: one[0]):
        reached = [place for place in waiting if place.covered_from <= size <= MAX_SIZE]
        if reached and reader.files.read(LEDGER, checkpoint_path(size)) is not None:
            proof = _proof(reader, size, reached)
            given = list(_given(reader, [file for _, file in group], size))
            waiting = [place for place in waiting if place.covered_from > size]
            if not waiting:  # as for `indelible verify`, the anchors of the newest checkpoint count
                kept = {anchor.file.name for anchor in given if anchor.file.kind == "bitcoin"}
                shown = [one for one in given if one.file.kind != "pending" or one.file.name not in kept]
                part.above = AnchoredCheckpoint(size, reached[-1].of, proof, tuple(shown[:_MOST_SHOWN]))
        if not waiting:
            return


def _proof(reader: _Reader, size: int, reached: list[_Place]) -> bytes | None:
    """Read the tiles that prove these leaves. The proof of the last one; None where the tiles do not lead to it."""
    try:
        note = reader.read(checkpoint_path(size))
        node = tiles.node_reader(size, reader.read)
        paths = [merkle.inclusion_proof(place.index, size, node) for place in reached]
        return TlogProof(reached[-1].index, tuple(paths[-1]), parse_note(note)).data
    except ValueError:
        return None


def _given(reader: _Reader, files: list[AnchorFile], size: int) -> Iterator[PageAnchor]:
    for file in files:
        with suppress(ValueError):
            data = reader.read(file.path(size))
            yield PageAnchor(file, data if len(data) <= MAX_ANCHOR_BYTES else None)
