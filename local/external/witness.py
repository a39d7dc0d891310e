# SPDX-License-Identifier: Apache-2.0
"""A witness (c2sp.org/tlog-witness): cosigns a checkpoint only if it is consistent with the one it cosigned last.

Invariant: one process never cosigns two inconsistent trees of a log.
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
_MAX_HASHES = 63


class _Refusal(Exception):
    """An answer other than a cosignature."""

    def __init__(self, status: int, why: str, content_type: str = "text/plain; charset=utf-8") -> None:
        super().__init__(why)
        self.answer = Answer(status, f"{why}\n".encode(), content_type)


@dataclass
class Witness:
    """``logs`` is a file of verifier keys, one a line, read for each request. A log's name is its key's name."""

    private_key: Ed25519PrivateKey
    logs: Path
    name: str = "witness.stand-in.example"
    clock: Callable[[], float] = time.time
    seen: dict[str, Checkpoint] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def key(self) -> VerifierKey:
        """The verifier key of its cosignatures."""
        return VerifierKey(self.name, self.private_key.public_key().public_bytes_raw(), COSIGNATURE)

    def __call__(self, request: Request) -> Answer:
        """Answer POST /add-checkpoint."""
        if (request.method, request.path) != ("POST", "/add-checkpoint"):
            return Answer(404, b"POST /add-checkpoint\n")
        try:
            with self._lock:
                return Answer(200, self._cosign(request.body))
        except _Refusal as refusal:
            return refusal.answer

    def _cosign(self, body: bytes) -> bytes:
        old, proof, note = _parse(body)
        try:
            found = parse_checkpoint(note.text)
        except NoteError as error:
            raise _Refusal(400, str(error)) from None
        self._require_signed(note, found.origin)
        if old > found.size:
            raise _Refusal(400, "the old size is larger than the checkpoint's")
        seen = self.seen.get(found.origin)
        size = seen.size if seen else 0
        if old != size:
            raise _Refusal(409, str(size), SIZE_TYPE)
        if seen is not None and size == found.size and seen.root != found.root:
            raise _Refusal(409, "another root for the size that was cosigned last")
        try:
            merkle.verify_consistency(size, found.size, seen.root if seen else merkle.EMPTY_ROOT, found.root, proof)
        except merkle.ProofInvalid as error:
            raise _Refusal(422, str(error)) from None
        self.seen[found.origin] = found
        return self._signature(note.text).line.encode()

    def _require_signed(self, note: Note, origin: str) -> None:
        keys = [key for key in self._known_keys() if key.name == origin]
        if not keys:
            raise _Refusal(404, "not a log that this witness knows")
        try:
            notes.verify(note, keys)
        except NoteError as error:
            raise _Refusal(403, str(error)) from None

    def _known_keys(self) -> list[VerifierKey]:
        if not self.logs.exists():
            return []
        return [notes.parse_verifier_key(line) for line in self.logs.read_text(encoding="utf-8").split()]

    def _signature(self, text: str) -> Signature:
        now = int(self.clock())
        signature = self.private_key.sign(f"cosignature/v1\ntime {now}\n{text}".encode())
        return Signature(self.name, self.key.key_id, now.to_bytes(8, "big") + signature)


def _parse(body: bytes) -> tuple[int, list[bytes], Note]:
    """The old size, the consistency proof and the checkpoint in a request. Raises _Refusal."""
    head, separator, checkpoint = body.partition(b"\n\n")
    first, *hashes = head.decode("latin-1").split("\n")
    old = first.removeprefix("old ")
    if not separator or not first.startswith("old ") or not old.isdecimal() or str(int(old)) != old:
        raise _Refusal(400, "a request begins with a line `old N`, and has an empty line before the checkpoint")
    if len(hashes) > _MAX_HASHES:
        raise _Refusal(400, f"a consistency proof has at most {_MAX_HASHES} hashes")
    try:
        return int(old), [notes.from_base64(line) for line in hashes], notes.parse_note(checkpoint)
    except (ValueError, binascii.Error):
        raise _Refusal(400, "the proof is base64, one hash a line; the checkpoint is a signed note") from None
