# SPDX-License-Identifier: Apache-2.0
"""Whoever owns the account, or broke into it: everything that the ledger must notice, and cannot prevent.

Some of these S3 allows (markers, newer versions), some a lock prevents (removal, weaker locks) until it ends or
where it never was, and one (`rot`) is a fault of the store itself. Each is one named step for a test.
"""

from __future__ import annotations

import hashlib

from indelible.domain import record as records
from indelible.domain.findings import Lock
from indelible.domain.record import Head, Record
from tests.fakes.bucket import AccessDenied, Bucket, Marker, Version
from tests.fakes.journal import FakeJournal


class Administrator:
    """Tampering with one bucket (and, where given, its table)."""

    def __init__(self, bucket: Bucket, journal: FakeJournal | None = None) -> None:
        self.bucket = bucket
        self.journal = journal

    def key_of(self, org_id: str, sequence: int) -> str:
        """The first key that claims this sequence."""
        for key in sorted(self.bucket.stacks):
            parsed = records.parse_key(key)
            if parsed is not None and (parsed.org_id, parsed.sequence) == (org_id, sequence):
                return key
        raise KeyError((org_id, sequence))

    def lay_newer_version(self, key: str, data: bytes) -> None:
        """Put another object over a sealed one, properly locked too."""
        lock = self.bucket.versions(key)[0].lock
        self.bucket.push(key, data, hashlib.sha256(data).hexdigest(), lock)

    def lay_delete_marker(self, key: str) -> None:
        """`aws s3 rm`."""
        self.bucket.stacks.setdefault(key, []).append(Marker(self.bucket.next_version_id()))

    def rot(self, key: str, data: bytes) -> None:
        """Change the stored bytes in place; the stored checksum stays what it was."""
        old = self.bucket.versions(key)[0]
        self._set(key, old, Version(old.version_id, data, old.sha256, old.lock))

    def rewrite(self, key: str, data: bytes) -> None:
        """As if the only version had been removed and another put there: bytes and checksum agree."""
        old = self.bucket.versions(key)[0]
        self._set(key, old, Version(old.version_id, data, hashlib.sha256(data).hexdigest(), old.lock))

    def delete(self, key: str) -> None:
        """DeleteObject of each version by its id. Raises AccessDenied for what is retained or held, as S3 does."""
        for version in self.bucket.versions(key):
            retained = version.lock is not None and version.lock.retain_until_ms > self.bucket.now_ms()
            if retained or (key, version.version_id) in self.bucket.held:
                raise AccessDenied(key)
        self.remove(key)

    def remove(self, key: str) -> None:
        """Delete every version, as becomes possible when a lock has ended."""
        del self.bucket.stacks[key]

    def remove_versions(self, key: str) -> None:
        """Delete every version but leave the delete markers."""
        self.bucket.stacks[key] = list(self.bucket.markers(key))

    def set_lock(self, key: str, lock: Lock | None) -> None:
        """Remove or weaken the lock of the sealed version."""
        old = self.bucket.versions(key)[0]
        self._set(key, old, Version(old.version_id, old.data, old.sha256, lock))

    def insert(self, key: str, data: bytes, lock: Lock | None) -> None:
        """Put an object of the administrator's own making."""
        self.bucket.push(key, data, hashlib.sha256(data).hexdigest(), lock)

    def insert_record(self, record: Record) -> None:
        """Put a well-formed, well-locked forged record under its proper key."""
        self.insert(record.s3_key, record.data, Lock(record.lock_mode, record.retain_until_ms))

    def set_head(self, org_id: str, head: Head) -> None:
        """Rewrite the table's head."""
        assert self.journal is not None
        self.journal.heads[org_id] = head

    def _set(self, key: str, old: Version, new: Version) -> None:
        self.bucket.stacks[key] = [new if entry is old else entry for entry in self.bucket.stacks[key]]
