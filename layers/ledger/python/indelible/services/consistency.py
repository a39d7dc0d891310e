# SPDX-License-Identifier: Apache-2.0
"""Prove that a log is append-only: the consistency proof between two of its published checkpoints.

Invariant: both signatures and the proof are verified before they are returned.
"""

from __future__ import annotations

from dataclasses import dataclass

from indelible.domain import merkle
from indelible.domain.checkpoint import SignedCheckpoint
from indelible.domain.merkle import Hash
from indelible.errors import EvidenceBroken, InvalidField, NotFound
from indelible.services.log import LogReader


@dataclass(frozen=True, slots=True)
class Continued:
    """Two checkpoints, and the consistency proof from the first to the second (RFC 9162 §2.1.4.1)."""

    old: SignedCheckpoint
    new: SignedCheckpoint
    hashes: tuple[Hash, ...]


class Consistency:
    """Proves consistency of the logs that `log` reads."""

    def __init__(self, log: LogReader) -> None:
        self._log = log

    def between(self, owner: str, old: int, new: int) -> Continued:
        """The checkpoints of these sizes, and the proof between them.

        Raises:
            InvalidField: `old` is larger than `new`.
            NotFound: no checkpoint of that size was published; `field` is `old_size` or `new_size`.
            EvidenceBroken: a checkpoint, or a tile, is not what was signed.
        """
        if old > new:
            raise InvalidField("must not be larger than new_size", field="old_size")
        for size, field in ((old, "old_size"), (new, "new_size")):
            if next(self._log.sizes(owner, at_least=size), None) != size:
                raise NotFound("no checkpoint of this size was published", field=field)
        try:
            first, second = self._log.opened(owner, old), self._log.opened(owner, new)
            hashes = self._log.consistency(owner, old, new)
            merkle.verify_consistency(old, new, first.checkpoint.root, second.checkpoint.root, hashes)
        except ValueError as error:
            raise EvidenceBroken(f"{self._log.origin(owner)}: {error}; indelible verify finds out where") from None
        return Continued(first, second, hashes)
