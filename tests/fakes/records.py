# SPDX-License-Identifier: Apache-2.0
"""The record store over the in-memory bucket."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from indelible.domain import record as records
from indelible.domain.findings import Lock
from indelible.domain.record import Record
from indelible.errors import EvidenceBroken
from indelible.ports import KeyVersions, StoredVersion
from tests.fakes.bucket import Bucket, PreconditionFailed

READ_AHEAD = 4


class FakeRecords:
    """RecordStore."""

    def __init__(self, bucket: Bucket | None = None) -> None:
        self.bucket = bucket or Bucket()

    def seal(self, record: Record) -> str:
        assert records.read(record.data) == record, "the record is not what its bytes say"
        promised = Lock(record.lock_mode, record.retain_until_ms)
        with self.bucket.lock:
            try:
                return self.bucket.put(
                    record.s3_key, record.data, sha256=record.tx_hash, lock=promised, if_none_match=True
                ).version_id
            except PreconditionFailed:
                stored = self.bucket.versions(record.s3_key)[0]
        if stored.sha256 != record.tx_hash or not _holds(stored.lock, promised):
            raise EvidenceBroken("the key holds something else", audit_id=record.audit_id)
        return stored.version_id

    def oldest(self, s3_key: str) -> StoredVersion | None:
        with self.bucket.lock:
            stored = next(iter(self.bucket.versions(s3_key)), None)
            if stored is None:
                return None
            self.bucket.read_back.add((s3_key, stored.version_id))
            shadows = self._listed(s3_key).shadows
        data = stored.data[: records.MAX_OBJECT_BYTES + 1]
        return StoredVersion(s3_key, stored.version_id, data, stored.sha256, stored.lock, shadows)

    def versions(self, org_id: str, *, after: str) -> Iterator[KeyVersions]:
        for key in self.bucket.keys(f"{org_id}/", after=after):
            if key >= f"{org_id}/_":
                return
            yield self._listed(key)

    def read_all(self, keys: Iterable[KeyVersions]) -> Iterator[tuple[KeyVersions, StoredVersion | None]]:
        window: deque[KeyVersions] = deque()
        for key in keys:
            window.append(key)
            if len(window) == READ_AHEAD:
                yield self._read(window.popleft())
        while window:
            yield self._read(window.popleft())

    def first_key_after(self, org_id: str, key: str) -> str | None:
        found = (name for name in self.bucket.keys(f"{org_id}/", after=key) if records.parse_key(name))
        return next(found, None)

    def _listed(self, key: str) -> KeyVersions:
        with self.bucket.lock:
            versions = self.bucket.versions(key)
            return KeyVersions(
                s3_key=key,
                versions=tuple(version.version_id for version in versions),
                markers=tuple(marker.version_id for marker in self.bucket.markers(key)),
                size=len(versions[0].data) if versions else None,
            )

    def _read(self, key: KeyVersions) -> tuple[KeyVersions, StoredVersion | None]:
        return key, self.oldest(key.s3_key) if key.versions else None


def _holds(lock: Lock | None, promised: Lock) -> bool:
    return lock is not None and lock.mode == promised.mode and lock.retain_until_ms >= promised.retain_until_ms
