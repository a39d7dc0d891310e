# SPDX-License-Identifier: Apache-2.0
"""The ledger's own log: what its leaves are, and where an organisation finds its own.

Invariant: a leaf's data is the SHA-256 of the bytes of one published organisation checkpoint, signature included.
Nobody can guess a signature, so a leaf tells only those who hold the checkpoint which organisation it is of.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from indelible.domain.note import Note
from indelible.domain.proof import SUFFIX

LEDGER_PROOFS = "ledger/"
"""Where, below `{org_id}/_log/`, the proofs lie that the ledger's log holds an organisation's checkpoints."""
_PROOF = re.compile(rf"{LEDGER_PROOFS}([0-9]{{12}}){re.escape(SUFFIX)}", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class LedgerLeaf:
    """A published checkpoint of an organisation, by its tree size. `sha256` (hex) is that of the note's bytes.

    What covers it must be kept until `retain_until_ms` at least, as the records under it are. `published_ms` is when
    the anchor published it, by the ledger's clock.
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
    """Where, below `{org_id}/_log/`, the proof lies that the ledger's log holds the checkpoint of this size."""
    return f"{LEDGER_PROOFS}{size:012d}{SUFFIX}"


def parse_ledger_proof_path(path: str) -> int | None:
    """The size in such a path; None for another one."""
    found = _PROOF.fullmatch(path)
    return int(found[1]) if found else None
