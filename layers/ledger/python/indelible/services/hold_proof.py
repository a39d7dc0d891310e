# SPDX-License-Identifier: Apache-2.0
"""Which files of the logs prove a range: those that an evidence bundle of it would contain.

Only their names are needed. Tiles, and the proofs that the ledger's log includes a checkpoint, are read because they
lead to other files; the checkpoints themselves are not.
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
    """Log files, with the proofs that the ledger's own log includes an organisation's checkpoints."""

    def ledger_proofs(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:
        """Sizes of checkpoints and their proofs, ascending, as `checkpoints`: a bounded number is read ahead."""
        ...


@dataclass(frozen=True, slots=True)
class Proof:
    """The files that prove a range."""

    covered_by: int | None = None
    """The size of the first checkpoint that covers the range's end; None while there is none."""
    keys: tuple[str, ...] = ()
    """Their S3 keys."""


def proof_of(files: HeldFiles, anchored: Anchored, org_id: str, *, first: int, last: int) -> Proof:
    """The files that prove the records `first` to `last` of an organisation, of those that are in the bucket now."""
    named = _NamesOnly(files, org_id, first)
    part = log_part(named, org_id, first=first, last=last)
    anchors = anchors_part(named, anchored, org_id, part.sizes)
    paths = [(org_id, path) for path in [*part.files, *map(ledger_proof_path, anchors.proofs)]]
    paths += [(LEDGER, path) for path in [*anchors.ledger, *anchors.keys]]
    return Proof(
        covered_by=next((size for size in part.sizes if size >= last), None),
        keys=tuple(f"{owner}/_log/{path}" for owner, path in paths),
    )


class _NamesOnly:
    """Log files whose checkpoints have no content, because their names are enough.

    An organisation's proofs must be asked for in ascending order: they are read ahead.
    """

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
