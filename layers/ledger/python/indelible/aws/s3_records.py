# SPDX-License-Identifier: Apache-2.0
"""RecordStore on an S3 bucket with Object Lock.

Every write is create-only (`If-None-Match: *`), carries its SHA-256 for S3 to check, and sets its own lock: what the
record promises, or more where the bucket accepts no less any more (docs/adr/0016). Reads go to the oldest version of a
key: a writer can add newer versions and delete markers, but nothing older.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, FlexibleChecksumError

from indelible.aws.body import content
from indelible.aws.error_map import code_of, translated
from indelible.aws.s3_put import put_on_condition
from indelible.aws.s3_versions import PAGE, pages
from indelible.domain import instants
from indelible.domain.findings import Lock
from indelible.domain.record import MAX_OBJECT_BYTES, Record, parse_key
from indelible.errors import EvidenceBroken, Unavailable
from indelible.ports import Clock, KeyVersions, StoredVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, ListObjectVersionsOutputTypeDef, PutObjectOutputTypeDef

_READ_AHEAD = 128
# By the bucket's policy, where the lock is shorter than it takes; by S3 itself, where it has ended already ("The retain
# until date must be in the future!").
_LOCK_REFUSED = ("AccessDenied", "InvalidArgument")


class S3Records:
    """The records of every organisation. `client` must allow as many connections as `pool` has threads."""

    def __init__(self, *, client: S3Client, bucket: str, pool: ThreadPoolExecutor, clock: Clock) -> None:
        self._client = client
        self._bucket = bucket
        self._pool = pool
        self._clock = clock

    @translated("S3")
    def seal(self, record: Record) -> str:
        """PutObject; after a conflict as `oldest`. IAM: s3:PutObject, s3:PutObjectRetention, and as for `oldest`.

        Where S3 refuses: GetObjectLockConfiguration, and PutObject again with the bucket's default retention, if that
        is longer. IAM: s3:GetBucketObjectLockConfiguration; without it, the refusal is raised.
        """
        checksum = base64.b64encode(bytes.fromhex(record.tx_hash)).decode()
        try:
            answer = self._put(record, checksum)
        except ClientError as error:
            if code_of(error) != "PreconditionFailed":
                raise
            return self._same_as_stored(record)
        # S3 refuses bytes that do not have the checksum that was sent, so 200 acknowledges it. An answer with another
        # checksum, or without a version, acknowledges nothing: read what is stored.
        if answer.get("ChecksumSHA256", checksum) != checksum or "VersionId" not in answer:
            return self._same_as_stored(record)
        return answer["VersionId"]

    def _put(self, record: Record, checksum: str) -> PutObjectOutputTypeDef:
        try:
            return self._put_until(record.retain_until_ms, record, checksum)
        except ClientError as error:
            until_ms = self._default_until_ms() if code_of(error) in _LOCK_REFUSED else 0
            if until_ms <= record.retain_until_ms:
                raise
            return self._put_until(until_ms, record, checksum)

    def _put_until(self, until_ms: int, record: Record, checksum: str) -> PutObjectOutputTypeDef:
        return put_on_condition(
            self._client,
            Bucket=self._bucket,
            Key=record.s3_key,
            Body=record.data,
            ContentType="application/json",
            IfNoneMatch="*",
            ChecksumSHA256=checksum,
            # Named, so that the bucket's default encryption has no say (docs/adr/0001).
            ServerSideEncryption="AES256",
            ObjectLockMode="GOVERNANCE" if record.lock_mode == "GOVERNANCE" else "COMPLIANCE",
            ObjectLockRetainUntilDate=instants.to_datetime(until_ms),
        )

    def _default_until_ms(self) -> int:
        """The end of the lock that a new object gets by default (Unix milliseconds); 0 where that cannot be read."""
        try:
            found = self._client.get_object_lock_configuration(Bucket=self._bucket)["ObjectLockConfiguration"]
        except ClientError:
            return 0
        default = found.get("Rule", {}).get("DefaultRetention", {})
        # A default has days or years. A year is taken as 366 days: the lock may be longer than the default.
        days = default.get("Days", 0) or default.get("Years", 0) * 366
        return instants.first_midnight_at_or_after(self._clock.now_ms() + days * instants.DAY_MS)

    def _same_as_stored(self, record: Record) -> str:
        stored = self.oldest(record.s3_key)
        if stored is None:
            raise Unavailable("S3 reported a conflict over an object that it does not list")
        lock = stored.lock
        if stored.data != record.data or stored.sha256 != record.tx_hash:
            raise EvidenceBroken(f"{record.s3_key} is stored with other bytes")
        if lock is None or lock.mode != record.lock_mode or lock.retain_until_ms < record.retain_until_ms:
            raise EvidenceBroken(f"{record.s3_key} is stored without the lock that was promised")
        return stored.version_id

    def oldest(self, s3_key: str) -> StoredVersion | None:
        """ListObjectVersions, GetObject. IAM: s3:ListBucketVersions, s3:GetObjectVersion, s3:GetObjectRetention."""
        for keys in self._keys(prefix=s3_key, after="", page=PAGE):
            if keys.s3_key == s3_key:
                return self._read(keys)
        return None

    def versions(self, org_id: str, *, after: str) -> Iterator[KeyVersions]:
        """ListObjectVersions, a thousand versions a page. IAM: s3:ListBucketVersions."""
        return self._records_area(org_id, after, PAGE)

    def first_key_after(self, org_id: str, key: str) -> str | None:
        """ListObjectVersions of a few versions. IAM: s3:ListBucketVersions."""
        for keys in self._records_area(org_id, key, 4):
            if parse_key(keys.s3_key) is not None:
                return keys.s3_key
        return None

    def read_all(self, keys: Iterable[KeyVersions]) -> Iterator[tuple[KeyVersions, StoredVersion | None]]:
        """GetObject for each, as many at a time as the pool has threads.

        IAM: s3:GetObjectVersion, s3:GetObjectRetention.
        """
        ahead: deque[tuple[KeyVersions, Future[StoredVersion | None]]] = deque()
        try:
            for entry in keys:
                ahead.append((entry, self._pool.submit(self._read, entry)))
                if len(ahead) >= _READ_AHEAD:
                    read, future = ahead.popleft()
                    yield read, future.result()
            while ahead:
                read, future = ahead.popleft()
                yield read, future.result()
        finally:
            for _, future in ahead:
                future.cancel()

    def _records_area(self, org_id: str, after: str, page: int) -> Iterator[KeyVersions]:
        for keys in self._keys(prefix=f"{org_id}/", after=after, page=page):
            if keys.s3_key >= f"{org_id}/_":
                return
            yield keys

    def _keys(self, *, prefix: str, after: str, page: int) -> Iterator[KeyVersions]:
        """Versions and delete markers, grouped by key. Those of one key may be on several pages."""
        held: KeyVersions | None = None
        for listed in pages(self._client, self._bucket, prefix=prefix, after=after, most=page):
            for entry in _by_key(listed):
                if held is not None and held.s3_key == entry.s3_key:
                    # S3 lists newest first: what is on a later page is older.
                    size = entry.size if entry.versions else held.size
                    held = KeyVersions(held.s3_key, entry.versions + held.versions, entry.markers + held.markers, size)
                    continue
                if held is not None:
                    yield held
                held = entry if entry.s3_key > after else None
        if held is not None:
            yield held

    @translated("S3")
    def _read(self, keys: KeyVersions) -> StoredVersion | None:
        if not keys.versions:
            return None
        version_id = keys.versions[0]
        answer = self._client.get_object(
            Bucket=self._bucket, Key=keys.s3_key, VersionId=version_id, ChecksumMode="ENABLED"
        )
        try:
            data = content(answer, MAX_OBJECT_BYTES)
        except FlexibleChecksumError:
            # The SDK raises for bytes without the stored checksum. An auditor must see them: read them unchecked.
            again = self._client.get_object(Bucket=self._bucket, Key=keys.s3_key, VersionId=version_id)
            data = content(again, MAX_OBJECT_BYTES)
        return stored_version(keys, data, answer.get("ChecksumSHA256"), _lock(answer))


def stored_version(keys: KeyVersions, data: bytes, checksum: str | None, lock: Lock | None) -> StoredVersion:
    """The oldest version under a key. `checksum` is base64; raises ValueError where it is not."""
    return StoredVersion(
        s3_key=keys.s3_key,
        version_id=keys.versions[0],
        data=data,
        sha256=base64.b64decode(checksum).hex() if checksum else None,
        lock=lock,
        shadows=keys.shadows,
    )


def _by_key(page: ListObjectVersionsOutputTypeDef) -> Iterator[KeyVersions]:
    versions: dict[str, list[str]] = {}
    markers: dict[str, list[str]] = {}
    sizes: dict[str, int | None] = {}
    for version in reversed(page.get("Versions", [])):
        versions.setdefault(version["Key"], []).append(version["VersionId"])
        sizes.setdefault(version["Key"], version.get("Size"))
    for deleted in reversed(page.get("DeleteMarkers", [])):
        markers.setdefault(deleted["Key"], []).append(deleted["VersionId"])
    for key in sorted(versions.keys() | markers.keys()):
        yield KeyVersions(key, tuple(versions.get(key, ())), tuple(markers.get(key, ())), sizes.get(key))


def _lock(answer: GetObjectOutputTypeDef) -> Lock | None:
    mode, until = answer.get("ObjectLockMode"), answer.get("ObjectLockRetainUntilDate")
    if mode is None or until is None:
        return None
    return Lock(mode=mode, retain_until_ms=instants.from_datetime(until))
