# SPDX-License-Identifier: Apache-2.0
"""A versioned bucket under Object Lock, as S3 behaves.

Invariant: through the ledger's surface a version, once stored, is there for ever, byte for byte and locked as it
was. Whatever would overwrite, hide, unlock or delete one is a bug in the ledger and raises AssertionError, which
no service catches. What an administrator of the account can do is a different surface: `administrator.py`.
"""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from indelible.domain.findings import Lock


class PreconditionFailed(Exception):
    """`If-None-Match: *` found a current object (S3 answers 412)."""


class AccessDenied(Exception):
    """S3 refuses to delete a version whose retention has not ended, or that is held."""


@dataclass(frozen=True, slots=True)
class Version:
    """One object version; `sha256` is the checksum that was stored with it (hex)."""

    version_id: str
    data: bytes
    sha256: str
    lock: Lock | None


@dataclass(frozen=True, slots=True)
class Marker:
    """A delete marker: hides what lies under it, destroys nothing."""

    version_id: str


class Bucket:
    """Stacks of versions and delete markers by key, oldest first."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.stacks: dict[str, list[Version | Marker]] = {}
        self.read_back: set[tuple[str, str]] = set()
        """(key, version id) of every version whose content the ledger read after it was stored."""
        self.now_ms: Callable[[], int] = lambda: 0
        """The store's clock."""
        self.stored_ms: dict[str, int] = {}
        """When each version was stored, by version id."""
        self.held: set[tuple[str, str]] = set()
        """(key, version id) of every version under a legal hold."""
        self._version_ids = 0

    # -- the ledger's surface -----------------------------------------------------------------------

    def put(self, key: str, data: bytes, *, sha256: str, lock: Lock, if_none_match: bool) -> Version:
        """PutObject with checksum and lock headers. Raises PreconditionFailed as S3 does."""
        with self.lock:
            current = self.current(key)
            if if_none_match and current is not None:
                raise PreconditionFailed(key)
            assert if_none_match, f"a put without If-None-Match would lay a version over {key}"
            assert hashlib.sha256(data).hexdigest() == sha256, f"S3 refuses {key}: the checksum does not fit the bytes"
            return self.push(key, data, sha256, lock)

    def put_over(self, key: str, data: bytes, *, replaces: Version | None, lock: Lock) -> Version:
        """PutObject with `If-Match` (or `If-None-Match: *` over nothing): only a log's latest checkpoint may."""
        assert key.endswith("/_log/checkpoint"), f"something tried to lay a version over {key}"
        with self.lock:
            if self.current(key) != replaces:
                raise PreconditionFailed(key)
            return self.push(key, data, hashlib.sha256(data).hexdigest(), lock)

    def put_retention(self, key: str, version_id: str, lock: Lock) -> None:
        """PutObjectRetention: may only ever strengthen."""
        with self.lock:
            old = self.version(key, version_id)
            assert old.lock is None or (
                lock.mode == old.lock.mode and lock.retain_until_ms >= old.lock.retain_until_ms
            ), f"something tried to weaken the lock of {key} version {version_id}"
            self._replace(key, version_id, Version(old.version_id, old.data, old.sha256, lock))

    def put_legal_hold(self, key: str, version_id: str, *, on: bool) -> None:
        """PutObjectLegalHold; StopIteration for a version that is not there."""
        with self.lock:
            self.version(key, version_id)
            (self.held.add if on else self.held.discard)((key, version_id))

    def delete(self, key: str, version_id: str | None = None) -> None:
        """DeleteObject: the ledger never does, with or without a version id."""
        raise AssertionError(f"something tried to delete {key} (version {version_id})")

    def current(self, key: str) -> Version | None:
        """What a GET without a version id finds."""
        stack = self.stacks.get(key)
        return stack[-1] if stack and isinstance(stack[-1], Version) else None

    def versions(self, key: str) -> list[Version]:
        """The versions with content, oldest first."""
        with self.lock:
            return [entry for entry in self.stacks.get(key, ()) if isinstance(entry, Version)]

    def markers(self, key: str) -> list[Marker]:
        """The delete markers, oldest first."""
        with self.lock:
            return [entry for entry in self.stacks.get(key, ()) if isinstance(entry, Marker)]

    def version(self, key: str, version_id: str) -> Version:
        """One version by id."""
        return next(version for version in self.versions(key) if version.version_id == version_id)

    def keys(self, prefix: str, *, after: str = "", page: int = 7) -> Iterator[str]:
        """Every key with any version or marker, in order, fetched in pages: later puts may be seen or not."""
        while True:
            with self.lock:
                known = sorted(key for key in self.stacks if key.startswith(prefix))
            found = known[bisect_right(known, after) :][:page]
            yield from found
            if len(found) < page:
                return
            after = found[-1]

    # -- what both surfaces stand on ----------------------------------------------------------------

    def push(self, key: str, data: bytes, sha256: str, lock: Lock | None) -> Version:
        """Lay a version on top of the stack."""
        version = Version(self.next_version_id(), data, sha256, lock)
        self.stored_ms[version.version_id] = self.now_ms()
        self.stacks.setdefault(key, []).append(version)
        return version

    def next_version_id(self) -> str:
        """Version ids are opaque, but unique and the same in every run."""
        self._version_ids += 1
        return f"v{self._version_ids:06d}"

    def _replace(self, key: str, version_id: str, new: Version) -> None:
        self.stacks[key] = [new if entry.version_id == version_id else entry for entry in self.stacks[key]]
