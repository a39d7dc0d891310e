# SPDX-License-Identifier: Apache-2.0
"""The ledger's own log: its leaves, and the paths of the proofs for each organisation.

Invariant: a leaf's data is the SHA-256 of the bytes of one published organisation checkpoint, signature included.
Because the signature cannot be guessed, a leaf reveals its organisation only to those who have the checkpoint.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from indelible.domain.note import Note
from indelible.domain.proof import SUFFIX

LEDGER_PROOFS = "ledger/"
"""Directory below `{org_id}/_log/` with the proofs that the ledger's log holds the organisation's checkpoints."""
_PROOF = re.compile(rf"{LEDGER_PROOFS}([0-9]{{12}}){re.escape(SUFFIX)}", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class LedgerLeaf:
    """A published checkpoint of an organisation, by its tree size. `sha256` (hex) is that of the note's bytes.

    The files that prove it must be kept at least until `retain_until_ms`, like the records under it. `published_ms` is
    when the anchor published it, by the ledger's clock. Both are Unix milliseconds.
    """

    org_id: str
    size: int
    sha256: str
    retain_until_ms: int
    published_ms: int

    @property
    def data(self) -> bytes:
        """The leaf data, 32 bytes."""
        return bytes.fromhex(self.sha256)


def leaf_data(note: Note) -> bytes:
    """The leaf data of an organisation's checkpoint: 32 bytes."""
    return hashlib.sha256(note.data).digest()


def ledger_proof_path(size: int) -> str:
    """The path, below `{org_id}/_log/`, of the proof that the ledger's log holds the checkpoint of this size."""
    return f"{LEDGER_PROOFS}{size:012d}{SUFFIX}"


def parse_ledger_proof_path(path: str) -> int | None:
    """The size in a path of `ledger_proof_path`; None for any other path."""
    found = _PROOF.fullmatch(path)
    return int(found[1]) if found else None
