# SPDX-License-Identifier: Apache-2.0
"""The Merkle log's ports, in memory: the register, the static files, and the signing key.

Invariants that they assert on whoever calls them (G5): for one organisation and one tree size there is one root, in
the register and under the key; nothing is signed that was not fixed in the register and read back from the bucket;
no published file is ever written with other bytes, or with a lock shorter than what it covers.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from indelible.domain import keyring
from indelible.domain import record as records
from indelible.domain.checkpoint import Checkpoint, parse_checkpoint
from indelible.domain.findings import Lock
from indelible.domain.keyring import KeyStatement
from indelible.domain.note import VerifierKey, count_signatures
from indelible.domain.record import EMPTY_CHAIN
from indelible.domain.tiles import MAX_FILE_BYTES, File
from indelible.errors import EvidenceBroken, HeadRegressed
from indelible.ports import NOTHING_COVERED, LogState
from tests.fakes.bucket import Bucket, PreconditionFailed
from tests.fakes.ledger import FakeLedgerRegister
from tests.fakes.rfc6962 import root_of_leaves

LATEST = "checkpoint"
LEDGER_NAME = "indelible"


@dataclass(slots=True)
class FakeLogHead:
    """LogHead: a log only grows, one step at a time, and a size has one root."""

    states: dict[str, LogState] = field(default_factory=dict)
    roots: dict[tuple[str, int], str] = field(default_factory=dict)
    """Every root that was ever fixed, by organisation and size."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    bucket: Bucket | None = None
    rootless: set[str] = field(default_factory=set)
    """Organisations whose item an older version wrote."""

    def read(self, org_id: str) -> LogState:
        if org_id in self.rootless:
            raise HeadRegressed(
                f"the item {org_id} / LOG has no 'root': what needs it is off until the table is rebuilt"
            )
        return self.states.get(org_id, NOTHING_COVERED)

    def _is_taken(self, org_id: str, fixed: LogState) -> bool:
        """Whether somebody else's file has the place for which a root was fixed."""
        stored = self.bucket.versions(_key(org_id, f"checkpoints/{fixed.tail.sequence:012d}")) if self.bucket else []
        return bool(stored) and not stored[0].data.startswith(f"{LEDGER_NAME}/{org_id}\n".encode())

    def advance(self, org_id: str, old: LogState, new: LogState) -> bool:
        assert new != old, "an advance advances"
        assert new.cleared <= new.published.sequence <= new.tail.sequence, "cleared, published, covered: in this order"
        assert new.tail.sequence >= old.tail.sequence, "a log only grows"
        assert new.published.sequence >= old.published.sequence, "what is published stays published"
        assert new.cleared >= old.cleared, "what is cleared stays cleared"
        assert new.published in (old.published, new.tail), "only what is fixed is published"
        if new.tail != old.tail:
            free = old.tail == old.published or self._is_taken(org_id, old)
            assert free, "the next root is fixed when the last one is published, and not before"
            assert new.published == old.published, "fixing and publishing are two steps"
        else:
            assert new.root == old.root, "G5: another root for the same records"
        with self.lock:
            if self.read(org_id) != old:
                return False
            fixed = self.roots.setdefault((org_id, new.tail.sequence), new.root)
            assert fixed == new.root, f"G5: a second root for size {new.tail.sequence} of {org_id}"
            self.states[org_id] = new
            return True


class FakeLogFiles:
    """LogFiles, in the bucket where the records are. Counts what it is asked for."""

    def __init__(self, bucket: Bucket, mode: str = "COMPLIANCE") -> None:
        self.bucket = bucket
        self.mode = mode
        self.reads: Counter[str] = Counter()
        self.written: list[str] = []
        """Paths that were stored anew, in order."""

    def read(self, owner: str, path: str) -> bytes | None:
        self.reads[path] += 1
        found = self.bucket.versions(_key(owner, path))
        if not found:
            return None
        version = found[-1] if path == LATEST else found[0]
        self.bucket.read_back.add((_key(owner, path), version.version_id))
        return version.data[: MAX_FILE_BYTES + 1]

    def current(self, owner: str, path: str) -> bytes | None:
        self.reads[path] += 1
        found = self.bucket.current(_key(owner, path))
        if found is None:
            return None
        self.bucket.read_back.add((_key(owner, path), found.version_id))
        return found.data[: MAX_FILE_BYTES + 1]

    def write(self, owner: str, files: Sequence[File], *, retain_until_ms: int) -> None:
        assert len({file.path for file in files}) == len(files), "one file twice"
        assert LATEST not in {file.path for file in files}, "the latest checkpoint has a method of its own"
        for file in files:
            self._create(_key(owner, file.path), file.data, retain_until_ms)

    def sizes(self, owner: str, *, at_least: int) -> Iterator[int]:
        prefix = f"{owner}/_log/checkpoints/"
        for key in self.bucket.keys(prefix, after=f"{prefix}{max(at_least, 1) - 1:012d}"):
            name = key.removeprefix(prefix)
            if re.fullmatch("[0-9]{12}", name) and self.bucket.versions(key):
                yield int(name)

    def checkpoints(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:
        for size in self.sizes(owner, at_least=at_least):
            note = self.read(owner, f"checkpoints/{size:012d}")
            if note is not None:
                yield size, note

    def names(self, owner: str, prefix: str, *, after: str = "") -> Iterator[str]:
        place = _key(owner, "")
        found = (key.removeprefix(place) for key in sorted(self.bucket.stacks) if key.startswith(place + prefix))
        return (name for name in found if name > after)

    def ledger_proofs(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:
        for path in self.names(owner, "ledger/"):
            found = re.fullmatch(r"ledger/([0-9]{12})\.tlog-proof", path)
            data = self.read(owner, path) if found and int(found[1]) >= at_least else None
            if found and data is not None:
                yield int(found[1]), data

    def extend_lock(self, owner: str, path: str, *, at_least_until_ms: int, retain_until_ms: int) -> int:
        assert path != LATEST, "the latest checkpoint is published anew"
        assert retain_until_ms >= at_least_until_ms, "longer than it must be, never shorter"
        key = _key(owner, path)
        with self.bucket.lock:
            found = self.bucket.versions(key)
            if not found:
                raise EvidenceBroken(f"there is no {key}")
            now_ms = found[0].lock.retain_until_ms if found[0].lock else 0
            if now_ms >= at_least_until_ms:
                return now_ms
            self.bucket.put_retention(key, found[0].version_id, Lock(self.mode, retain_until_ms))
            return retain_until_ms

    def latest(self, owner: str, note: bytes, *, size: int, retain_until_ms: int) -> None:
        key = _key(owner, LATEST)
        with self.bucket.lock:
            now = self.bucket.current(key)
            if now is not None and (_size_of(now.data), count_signatures(now.data)) >= (size, count_signatures(note)):
                return
            lock = Lock(self.mode, retain_until_ms)
            self.bucket.put_over(key, note, replaces=now, lock=lock)

    def _create(self, key: str, data: bytes, retain_until_ms: int) -> None:
        lock = Lock(self.mode, retain_until_ms)
        try:
            self.bucket.put(key, data, sha256=hashlib.sha256(data).hexdigest(), lock=lock, if_none_match=True)
        except PreconditionFailed:
            if self.bucket.versions(key)[0].data != data:
                raise EvidenceBroken(f"{key} is stored with other bytes") from None
        else:
            self.written.append(key.partition("/_log/")[2])


class FakeSigner:
    """Signer with a real key. With a register and a bucket at hand it looks at what it is asked to sign.

    `predecessor`: the generation before, with which it shares the memory of what was signed.
    """

    def __init__(
        self,
        register: FakeLogHead | None = None,
        bucket: Bucket | None = None,
        seed: int = 7,
        ledger: FakeLedgerRegister | None = None,
        predecessor: FakeSigner | None = None,
    ) -> None:
        self._key, self._public_key = _key_pair(seed)
        self._register = register
        self._bucket = bucket
        self._ledger = ledger
        self.signatures = 0
        self.roots: dict[tuple[str, int], bytes] = predecessor.roots if predecessor else {}
        """What was ever signed, by origin and size."""
        self.statements: list[KeyStatement] = []
        self.refuses_unpinned = True

    def sign(self, message: bytes) -> bytes:
        if message.startswith(keyring.FORMAT.encode()):
            self.statements.append(keyring.parse_statement(message.decode()))
            return self._key.sign(message)
        if self._bucket is not None and self.refuses_unpinned:
            assert self._pinned(), "signed before the key was pinned"
        asked = parse_checkpoint(message.decode())
        signed = self.roots.setdefault((asked.origin, asked.size), asked.root)
        assert signed == asked.root, f"G5: a second root for size {asked.size} of {asked.origin}"
        org_id = asked.origin.partition("/")[2]
        if self._register is not None and org_id:
            fixed = self._register.roots.get((org_id, asked.size))
            assert fixed == asked.root.hex(), "G5: signed before the register fixed it"
        if self._bucket is not None and org_id:
            assert root_of_leaves(_read_back(self._bucket, org_id)[: asked.size]) == asked.root, "G5: signed unread"
        if self._ledger is not None and self._bucket is not None and not org_id:
            self._look_at_the_ledgers_own(self._ledger, self._bucket, asked)
        self.signatures += 1
        return self._key.sign(message)

    def _look_at_the_ledgers_own(self, ledger: FakeLedgerRegister, bucket: Bucket, asked: Checkpoint) -> None:
        assert ledger.roots.get(asked.size) == asked.root.hex(), "G5: signed before the register fixed it"
        for leaf in ledger.leaves[: asked.size]:
            key = _key(leaf.org_id, f"checkpoints/{leaf.size:012d}")
            sealed = bucket.versions(key)[0]
            assert hashlib.sha256(sealed.data).hexdigest() == leaf.sha256, "G5: signed another checkpoint"
            assert (key, sealed.version_id) in bucket.read_back, "G5: signed unread"

    def public_key(self) -> bytes:
        return self._public_key

    def _pinned(self) -> bool:
        assert self._bucket is not None
        pinned = self._bucket.keys(_key("_ledger", "keys/"))
        mine = f"\n{VerifierKey(LEDGER_NAME, self.public_key())}\n".encode()
        return any(mine in self._bucket.versions(key)[0].data for key in pinned)


@cache
def _key_pair(seed: int) -> tuple[Ed25519PrivateKey, bytes]:
    """One generation's; the same in every ledger."""
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return key, key.public_key().public_bytes_raw()


def _read_back(bucket: Bucket, org_id: str) -> list[bytes]:
    """Leaf data of the organisation's records whose content the ledger has read, in order."""
    last, leaves = EMPTY_CHAIN.sequence, []
    for key in sorted(bucket.stacks):
        parsed = records.parse_key(key)
        if parsed is None or parsed.org_id != org_id or parsed.sequence != last + 1:
            continue
        sealed = bucket.versions(key)[:1]
        if not sealed or (key, sealed[0].version_id) not in bucket.read_back:
            break
        leaves.append(hashlib.sha256(sealed[0].data).digest())
        last = parsed.sequence
    return leaves


def _size_of(note: bytes) -> int:
    lines = note.split(b"\n", 2)
    return int(lines[1]) if len(lines) > 1 and lines[1].isdigit() else -1


def _key(owner: str, path: str) -> str:
    return f"{owner}/_log/{path}"
