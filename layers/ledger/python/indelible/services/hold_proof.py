# SPDX-License-Identifier: Apache-2.0
"""Which files of the logs prove a range: those that an evidence bundle of it would contain.

Named, and hardly read: the way to them leads through tiles and through the proofs that the ledger's log holds a
checkpoint, not through the checkpoints themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from indelible.domain.ledger import ledger_proof_path, parse_ledger_proof_path
from indelible.ports import StoredLogFiles
from indelible.services.export_anchors import Anchored, anchors_part
from indelible.services.export_files import log_part
from indelible.services.log import LEDGER

_CHECKPOINTS = "checkpoints/"


class HeldFiles(StoredLogFiles, Protocol):
    """Log files with the proofs beside an organisation's checkpoints, read ahead."""

    def ledger_proofs(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:
        """As `checkpoints`, of the proofs that the ledger's own log holds these."""
        ...


@dataclass(frozen=True, slots=True)
class Proof:
    """S3 keys. `covered_by` is the size of the first checkpoint that covers the range's end, None before one does."""

    covered_by: int | None = None
    keys: tuple[str, ...] = ()


def proof_of(files: HeldFiles, anchored: Anchored, org_id: str, *, first: int, last: int) -> Proof:
    """What proves the records `first` to `last` of an organisation, as far as it is in the bucket by now."""
    named = _Named(files, org_id, first)
    part = log_part(named, org_id, first=first, last=last)
    anchors = anchors_part(named, anchored, org_id, part.sizes)
    paths = [(org_id, path) for path in [*part.files, *map(ledger_proof_path, anchors.proofs)]]
    paths += [(LEDGER, path) for path in [*anchors.ledger, *anchors.keys]]
    return Proof(
        covered_by=next((size for size in part.sizes if size >= last), None),
        keys=tuple(f"{owner}/_log/{path}" for owner, path in paths),
    )


class _Named:
    """Checkpoints without content, because their names are enough; an organisation's proofs, asked for in order."""

    def __init__(self, files: HeldFiles, org_id: str, first: int) -> None:
        self._files = files
        self._org_id = org_id
        self._proofs = files.ledger_proofs(org_id, at_least=first)
        self._ahead = next(self._proofs, None)

    def read(self, owner: str, path: str) -> bytes | None:
        if path.startswith(_CHECKPOINTS):
            return b""
        size = parse_ledger_proof_path(path) if owner == self._org_id else None
        return self._files.read(owner, path) if size is None else self._proof(size)

    def sizes(self, owner: str, *, at_least: int) -> Iterator[int]:
        return self._files.sizes(owner, at_least=at_least)

    def checkpoints(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:
        return ((size, b"") for size in self.sizes(owner, at_least=at_least))

    def _proof(self, size: int) -> bytes | None:
        while self._ahead is not None and self._ahead[0] < size:
            self._ahead = next(self._proofs, None)
        return self._ahead[1] if self._ahead is not None and self._ahead[0] == size else None
