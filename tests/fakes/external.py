# SPDX-License-Identifier: Apache-2.0
"""Anchoring providers, and where what they give is kept.

Invariants that they assert on whoever calls them: nobody is shown anything but checkpoints of the ledger, and a
witness is never led to cosign what it cannot see to be consistent.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from indelible.domain import merkle
from indelible.domain.anchors import parse_anchor_path
from indelible.domain.checkpoint import Checkpoint, parse_checkpoint
from indelible.domain.merkle import Hash
from indelible.domain.note import COSIGNATURE, Note, Signature, VerifierKey, verify
from indelible.ports.external import OtherSize, OtherTree, PublishedCheckpoint, StoredAnchor
from tests.fakes.bucket import Bucket
from tests.fakes.log import LEDGER_NAME
from tests.fakes.machine import ManualClock

_LOG = "_ledger/_log/"


class FakeAnchorFiles:
    """AnchorFiles in the bucket where the ledger's log is: when something was stored is the bucket's word."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    def published(self, *, newest: int, since_ms: int) -> Sequence[PublishedCheckpoint]:
        found = [
            PublishedCheckpoint(int(name), stored_ms)
            for name, stored_ms in self._below(f"{_LOG}checkpoints/", "")
            if re.fullmatch("[0-9]{12}", name)
        ]
        return [one for one in found if one.published_ms >= since_ms or one.size >= newest]

    def stored(self, *, at_least: int) -> Iterator[StoredAnchor]:
        for path, stored_ms in self._below(_LOG, f"{_LOG}anchors/{at_least:012d}"):
            parsed = parse_anchor_path(path)
            if parsed is not None:
                yield StoredAnchor(*parsed, stored_ms)

    def _below(self, prefix: str, after: str) -> Iterator[tuple[str, int]]:
        for key in self.bucket.keys(prefix, after=after):
            versions = self.bucket.versions(key)
            if versions:
                yield key.removeprefix(prefix), self.bucket.stored_ms[versions[0].version_id]


@dataclass
class Somebody:
    """One provider: what it was shown, and what is wrong with it."""

    published: Callable[[], dict[bytes, int]]
    """Every checkpoint that the ledger published, as it lies in the bucket, and its size."""
    name: str = "somebody"
    failure: Exception | None = None
    asked: list[int] = field(default_factory=list)
    """The sizes it was shown, in order."""

    def shown(self, data: bytes) -> int:
        """Which checkpoint this is."""
        known = self.published()
        assert data in known, "a provider was shown what the ledger never published"
        self.asked.append(known[data])
        if self.failure is not None:
            raise self.failure
        return known[data]


@dataclass
class FakeAuthority(Somebody):
    """TimestampAuthority: every answer is another one."""

    def stamp(self, data: bytes) -> bytes:
        size = self.shown(data)
        return b"token %d of %d" % (len(self.asked), size)


@dataclass
class FakeCalendar(Somebody):
    """Calendar: completes when a block is there."""

    height: int | None = None
    upgrades: int = 0

    def submit(self, digest: bytes) -> bytes:
        by_digest = {hashlib.sha256(note).digest(): note for note in self.published()}
        assert digest in by_digest, "a calendar was shown another digest"
        self.shown(by_digest[digest])
        return b"pending %d " % len(self.asked) + digest

    def upgrade(self, proof: bytes, digest: bytes) -> tuple[int, bytes] | None:
        assert proof.startswith(b"pending ")
        assert proof.endswith(digest), "the proof of another checkpoint"
        self.upgrades += 1
        if self.failure is not None:
            raise self.failure
        return None if self.height is None else (self.height, b"complete " + digest)


@dataclass
class FakeWitness(Somebody):
    """Witness, with a real key and real checks."""

    clock: ManualClock = field(default_factory=ManualClock)
    seed: int = 40
    seen: Checkpoint | None = None
    cosigned: list[int] = field(default_factory=list)

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(bytes([self.seed]) * 32)

    @property
    def key(self) -> VerifierKey:
        return VerifierKey(f"{self.name}.example/w", self._private.public_key().public_bytes_raw(), COSIGNATURE)

    def cosign(self, checkpoint: Note, *, old: int, proof: Sequence[Hash]) -> Signature:
        self.shown(checkpoint.data)
        found = parse_checkpoint(checkpoint.text)
        assert found.origin == LEDGER_NAME, "a witness was shown an organisation's log"
        assert old <= found.size, "a witness refuses to go back"
        size = self.seen.size if self.seen else 0
        if old != size:
            raise OtherSize(size)
        try:
            root = self.seen.root if self.seen else merkle.EMPTY_ROOT
            merkle.verify_consistency(size, found.size, root, found.root, proof)
        except merkle.ProofInvalid:
            raise OtherTree("not consistent") from None
        self.seen = found
        self.cosigned.append(found.size)
        seconds = self.clock.now // 1000
        signature = self._private.sign(f"cosignature/v1\ntime {seconds}\n{checkpoint.text}".encode())
        line = Signature(self.key.name, self.key.key_id, seconds.to_bytes(8, "big") + signature)
        verify(Note(checkpoint.text, (line,)), [self.key])
        return line
