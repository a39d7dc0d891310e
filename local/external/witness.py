# SPDX-License-Identifier: Apache-2.0
"""A witness (c2sp.org/tlog-witness): cosigns a checkpoint only when it continues the tree that it has cosigned last.

Invariant: it never cosigns two trees of one log that are not consistent, as long as the process lives.
"""

from __future__ import annotations

import binascii
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from indelible.domain import merkle
from indelible.domain import note as notes
from indelible.domain.checkpoint import Checkpoint, parse_checkpoint
from indelible.domain.note import COSIGNATURE, Note, NoteError, Signature, VerifierKey
from local.external.web import Answer, Request

SIZE_TYPE = "text/x.tlog.size"
_MOST_HASHES = 63


class _No(Exception):
    """What is answered instead of a cosignature."""

    def __init__(self, status: int, why: str, content_type: str = "text/plain; charset=utf-8") -> None:
        super().__init__(why)
        self.answer = Answer(status, f"{why}\n".encode(), content_type)


@dataclass
class Witness:
    """``logs`` is a file of verifier keys, one a line, read anew for each request: a log's name is its key's name."""

    private_key: Ed25519PrivateKey
    logs: Path
    name: str = "witness.stand-in.example"
    clock: Callable[[], float] = time.time
    seen: dict[str, Checkpoint] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def key(self) -> VerifierKey:
        """What others verify its cosignatures with."""
        return VerifierKey(self.name, self.private_key.public_key().public_bytes_raw(), COSIGNATURE)

    def __call__(self, request: Request) -> Answer:
        """The one call of the protocol."""
        if (request.method, request.path) != ("POST", "/add-checkpoint"):
            return Answer(404, b"POST /add-checkpoint\n")
        try:
            with self._lock:
                return Answer(200, self._cosigned(request.body))
        except _No as no:
            return no.answer

    def _cosigned(self, body: bytes) -> bytes:
        old, proof, note = _parsed(body)
        try:
            found = parse_checkpoint(note.text)
        except NoteError as error:
            raise _No(400, str(error)) from None
        self._require_signed(note, found.origin)
        if old > found.size:
            raise _No(400, "the old size is larger than the checkpoint's")
        seen = self.seen.get(found.origin)
        size = seen.size if seen else 0
        if old != size:
            raise _No(409, str(size), SIZE_TYPE)
        if seen is not None and size == found.size and seen.root != found.root:
            raise _No(409, "another root for the size that was cosigned last")
        try:
            merkle.verify_consistency(size, found.size, seen.root if seen else merkle.EMPTY_ROOT, found.root, proof)
        except merkle.ProofInvalid as error:
            raise _No(422, str(error)) from None
        self.seen[found.origin] = found
        return self._signature(note.text).line.encode()

    def _require_signed(self, note: Note, origin: str) -> None:
        keys = [key for key in self._known_keys() if key.name == origin]
        if not keys:
            raise _No(404, "not a log that this witness knows")
        try:
            notes.verify(note, keys)
        except NoteError as error:
            raise _No(403, str(error)) from None

    def _known_keys(self) -> list[VerifierKey]:
        if not self.logs.exists():
            return []
        return [notes.parse_verifier_key(line) for line in self.logs.read_text(encoding="utf-8").split()]

    def _signature(self, text: str) -> Signature:
        now = int(self.clock())
        signature = self.private_key.sign(f"cosignature/v1\ntime {now}\n{text}".encode())
        return Signature(self.name, self.key.key_id, now.to_bytes(8, "big") + signature)


def _parsed(body: bytes) -> tuple[int, list[bytes], Note]:
    """Old size, consistency proof and checkpoint of a request."""
    head, separator, checkpoint = body.partition(b"\n\n")
    first, *hashes = head.decode("latin-1").split("\n")
    old = first.removeprefix("old ")
    if not separator or not first.startswith("old ") or not old.isdecimal() or str(int(old)) != old:
        raise _No(400, "a request begins with a line `old N`, and has an empty line before the checkpoint")
    if len(hashes) > _MOST_HASHES:
        raise _No(400, f"a consistency proof has at most {_MOST_HASHES} hashes")
    try:
        return int(old), [notes.from_base64(line) for line in hashes], notes.parse_note(checkpoint)
    except (ValueError, binascii.Error):
        raise _No(400, "the proof is base64, one hash a line; the checkpoint is a signed note") from None
