# SPDX-License-Identifier: Apache-2.0
"""An OpenTimestamps calendar with a block chain of its own.

Invariant: the operations of a completed proof lead to the Merkle root of one of its block headers. The headers are
linked and have proof of work, as in Bitcoin (at the difficulty of a test network), and can be downloaded.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation  # type: ignore[import-untyped]
from opentimestamps.core.op import OpAppend, OpPrepend, OpSHA256  # type: ignore[import-untyped]
from opentimestamps.core.serialize import BytesSerializationContext  # type: ignore[import-untyped]
from opentimestamps.core.timestamp import Timestamp, make_merkle_tree  # type: ignore[import-untyped]

from local.external.web import Answer, Request

TYPE = "application/vnd.opentimestamps.v1"
FIRST_HEIGHT = 900_001
_EASIEST = bytes.fromhex("ffff7f20")
"""The compact target of Bitcoin's regression test network, which every second hash meets."""
_TIMESTAMP = re.compile(r"/timestamp/([0-9a-f]{64})")
_PENDING = b"Pending confirmation in Bitcoin blockchain\n"


@dataclass
class Calendar:
    """Commits to digests POSTed to /digest, and puts them into a block after ``block_seconds``.

    ``url`` is its own address, which pending attestations name. GET /headers lists heights and headers.
    """

    url: str
    block_seconds: float = 1.0
    clock: Callable[[], float] = time.time
    headers: list[bytes] = field(default_factory=list)
    _waiting: dict[bytes, float] = field(default_factory=dict)
    _complete: dict[bytes, Timestamp] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: Request) -> Answer:
        """Answer the two requests of every calendar, and GET /headers."""
        if request.method == "POST" and request.path == "/digest":
            if not 1 <= len(request.body) <= 64:
                return Answer(400, b"a digest has 1 to 64 bytes\n")
            return Answer(200, self._commit(request.body), TYPE)
        found = _TIMESTAMP.fullmatch(request.path)
        if request.method == "GET" and found:
            return self._timestamp(bytes.fromhex(found[1]))
        if request.method == "GET" and request.path == "/headers":
            lines = [f"{FIRST_HEIGHT + place} {header.hex()}\n" for place, header in enumerate(self.headers)]
            return Answer(200, "".join(lines).encode())
        return Answer(404, b"POST /digest, GET /timestamp/HEX, GET /headers\n")

    def _commit(self, digest: bytes) -> bytes:
        # A random suffix, so that clients cannot choose the commitment.
        stamp = Timestamp(digest)
        commitment = stamp.ops.add(OpAppend(secrets.token_bytes(16))).ops.add(OpSHA256())
        commitment.attestations.add(PendingAttestation(self.url))
        with self._lock:
            self._waiting[commitment.msg] = self.clock() + self.block_seconds
        return _serialize(stamp)

    def _timestamp(self, commitment: bytes) -> Answer:
        with self._lock:
            self._mine()
            if commitment in self._complete:
                return Answer(200, _serialize(self._complete[commitment]), TYPE)
            return Answer(404, _PENDING if commitment in self._waiting else b"Not found\n")

    def _mine(self) -> None:
        """Put all commitments that are due into one block."""
        now = self.clock()
        due = [Timestamp(commitment) for commitment, when in self._waiting.items() if when <= now]
        if not due:
            return
        tip = make_merkle_tree(due)
        # The block's only transaction commits to the tip, and its id (SHA-256 twice) is the Merkle root.
        inside = tip.ops.add(OpPrepend(b"\x6a\x20")).ops.add(OpAppend(bytes(4)))
        root = inside.ops.add(OpSHA256()).ops.add(OpSHA256())
        self.headers.append(_mine_header(self.headers[-1] if self.headers else bytes(80), root.msg, int(now)))
        root.attestations.add(BitcoinBlockHeaderAttestation(FIRST_HEIGHT + len(self.headers) - 1))
        for stamp in due:
            self._complete[stamp.msg] = stamp
            del self._waiting[stamp.msg]


def _mine_header(before: bytes, merkle_root: bytes, now: int) -> bytes:
    """A header that follows another, with proof of work for the easiest target."""
    linked = (0x2000_0000).to_bytes(4, "little") + _hash(before) + merkle_root + now.to_bytes(4, "little") + _EASIEST
    for nonce in itertools.count():
        header = linked + nonce.to_bytes(4, "little")
        if _hash(header)[31] < 0x7F:
            return header
    raise AssertionError("unreachable")


def _hash(header: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(header).digest()).digest()


def _serialize(stamp: Timestamp) -> bytes:
    context = BytesSerializationContext()
    stamp.serialize(context)
    return bytes(context.getbytes())
