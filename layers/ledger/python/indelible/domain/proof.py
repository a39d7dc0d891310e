# SPDX-License-Identifier: Apache-2.0
"""Proof files: a log holds some data at some index, verifiable offline (c2sp.org/tlog-proof).

Invariant: `parse_tlog_proof(proof.data) == proof`, and no other bytes are parsed as that proof. Nothing in a proof is
trustworthy before `verify_tlog_proof`; `extra` never is, because no signature covers it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass

from indelible.domain import merkle
from indelible.domain import note as notes
from indelible.domain.checkpoint import MAX_SIZE, SignedCheckpoint, verify_checkpoint
from indelible.domain.merkle import HASH_BYTES, Hash
from indelible.domain.note import MAX_NOTE_BYTES, MalformedNote, Note

SUFFIX = ".tlog-proof"
MAX_HASHES = 63
"""Of an inclusion proof in a tree of less than 2^63 leaves."""
MAX_EXTRA_BYTES = 64 * 1024
MAX_PROOF_BYTES = MAX_NOTE_BYTES + 2 * MAX_EXTRA_BYTES
_HEADER = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)


class MalformedProof(MalformedNote):
    """The bytes are not a proof file."""


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A leaf's index, its inclusion proof from the leaf to the root, and the checkpoint. Raises MalformedProof."""

    index: int
    hashes: tuple[Hash, ...]
    checkpoint: Note
    extra: bytes = b""

    def __post_init__(self) -> None:
        if not 0 <= self.index < MAX_SIZE:
            raise MalformedProof("the index is not that of a leaf")
        if len(self.hashes) > MAX_HASHES or any(len(found) != HASH_BYTES for found in self.hashes):
            raise MalformedProof(f"an inclusion proof has at most {MAX_HASHES} hashes of {HASH_BYTES} bytes")
        if len(self.extra) > MAX_EXTRA_BYTES:
            raise MalformedProof(f"extra data has at most {MAX_EXTRA_BYTES} bytes")

    @property
    def data(self) -> bytes:
        """The bytes of the file."""
        extra = [f"extra {_base64(self.extra)}"] if self.extra else []
        lines = [_HEADER, *extra, f"index {self.index}", *(_base64(found) for found in self.hashes), "", ""]
        return "\n".join(lines).encode() + self.checkpoint.data


def parse_tlog_proof(data: bytes | str) -> TlogProof:
    """Parse a proof file without verifying anything. Raises MalformedProof or MalformedNote."""
    try:
        text = data if isinstance(data, str) else data[: MAX_PROOF_BYTES + 1].decode()
    except UnicodeDecodeError:
        raise MalformedProof("a proof file is UTF-8") from None
    if len(text) > MAX_PROOF_BYTES or len(data) > MAX_PROOF_BYTES:
        raise MalformedProof(f"a proof file has at most {MAX_PROOF_BYTES} bytes")
    head, separator, checkpoint = text.partition("\n\n")
    header, *lines = head.split("\n")
    if not separator or header != _HEADER:
        raise MalformedProof(f"a proof file starts with {_HEADER}, and has an empty line before the checkpoint")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = _decoded(lines.pop(0).removeprefix("extra "))
        if not extra:
            raise MalformedProof("without extra data there is no line for it")
    index = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if index is None:
        raise MalformedProof("the index is decimal, without leading zeros")
    if len(lines) > MAX_HASHES:
        raise MalformedProof(f"an inclusion proof has at most {MAX_HASHES} hashes")
    hashes = tuple(_decoded(line) for line in lines)
    return TlogProof(int(index[1]), hashes, notes.parse_note(checkpoint), extra)


def verify_tlog_proof(
    proof: TlogProof, leaf_data: bytes, *, origin: str, public_keys: Iterable[bytes]
) -> SignedCheckpoint:
    """Verify that the log holds the data at the proof's index, and return the proof's checkpoint.

    `leaf_data` is the leaf's data: for a record the 32 raw bytes of its `tx_hash`.

    Raises MalformedCheckpoint, WrongOrigin, NotSigned or BadSignature for the checkpoint, and merkle.ProofInvalid if
    the data is not at that index of the tree.
    """
    signed = verify_checkpoint(proof.checkpoint, origin=origin, public_keys=public_keys)
    leaf, found = merkle.leaf_hash(leaf_data), signed.checkpoint
    merkle.verify_inclusion(leaf, proof.index, found.size, proof.hashes, found.root)
    return signed


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes:
    try:
        return notes.from_base64(text)
    except ValueError:
        raise MalformedProof("hashes and extra data are canonical base64") from None
