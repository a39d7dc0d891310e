# SPDX-License-Identifier: Apache-2.0
"""LogFiles on the evidence bucket: create-only, locked and checksummed, like the records.

Only `checkpoint` gets new versions, of growing trees: each replaces exactly the version that was read (`If-Match`).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from indelible.aws.body import content
from indelible.aws.error_map import code_of, translated
from indelible.aws.s3_put import put_on_condition
from indelible.aws.s3_versions import pages
from indelible.domain import instants
from indelible.domain.ledger import LEDGER_PROOFS
from indelible.domain.note import count_signatures
from indelible.domain.proof import SUFFIX
from indelible.domain.record import Retention
from indelible.domain.tiles import MAX_FILE_BYTES, File
from indelible.errors import EvidenceBroken, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectLockRetentionTypeDef

_LATEST = "checkpoint"
_CHECKPOINTS = "checkpoints/"
_ROUNDS = 5
_READ_AHEAD = 32
_SIZE = re.compile(r"[0-9]{12}")


class S3LogFiles:
    """The log files of every owner. `client` must allow as many connections as `pool` has threads."""

    def __init__(self, *, client: S3Client, bucket: str, retention: Retention, pool: ThreadPoolExecutor) -> None:
        self._client = client
        self._bucket = bucket
        self._mode: Literal["COMPLIANCE", "GOVERNANCE"] = (
            "GOVERNANCE" if retention.lock_mode == "GOVERNANCE" else "COMPLIANCE"
        )
        self._pool = pool

    @translated("S3")
    def read(self, owner: str, path: str) -> bytes | None:
        """ListObjectVersions, GetObject. IAM: s3:ListBucketVersions, s3:GetObjectVersion."""
        return self._version(_key(owner, path), newest=path == _LATEST)

    @translated("S3")
    def current(self, owner: str, path: str) -> bytes | None:
        """GetObject. IAM: s3:GetObject.

        None for AccessDenied, too: without s3:ListBucket on the whole bucket S3 answers 403 for a key that does not
        exist. `read` tells the two apart.
        """
        try:
            return content(self._client.get_object(Bucket=self._bucket, Key=_key(owner, path)), MAX_FILE_BYTES)
        except ClientError as error:
            if code_of(error) not in ("NoSuchKey", "AccessDenied"):
                raise
        return None

    def write(self, owner: str, files: Sequence[File], *, retain_until_ms: int) -> None:
        """PutObject for each, many at a time; after a conflict as `read`.

        IAM: s3:PutObject, s3:PutObjectRetention on `*/_log/*`, and as for `read`.
        """
        writing = [self._pool.submit(self._create, _key(owner, f.path), f.data, retain_until_ms) for f in files]
        wait(writing)  # no write is still under way when one of them raises
        for written in writing:
            written.result()

    def sizes(self, owner: str, *, at_least: int) -> Iterator[int]:
        """ListObjectVersions. IAM: s3:ListBucketVersions."""
        return (size for size, _ in self._published(_key(owner, _CHECKPOINTS), "", at_least))

    def checkpoints(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:
        """ListObjectVersions, and GetObject for each, up to 32 at a time. IAM: as for `read`."""
        return self._read_ahead(_key(owner, _CHECKPOINTS), "", at_least)

    def ledger_proofs(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:
        """As `checkpoints`, of the proofs that the ledger's own log includes these checkpoints. IAM: as for `read`."""
        return self._read_ahead(_key(owner, LEDGER_PROOFS), SUFFIX, at_least)

    def _read_ahead(self, prefix: str, suffix: str, at_least: int) -> Iterator[tuple[int, bytes]]:
        listed = self._published(prefix, suffix, at_least)
        ahead: deque[tuple[int, Future[bytes | None]]] = deque()
        while True:
            for size, version_id in islice(listed, _READ_AHEAD - len(ahead)):
                ahead.append((size, self._pool.submit(self._first, f"{prefix}{size:012d}{suffix}", version_id)))
            if not ahead:
                return
            size, found = ahead.popleft()
            note = found.result()
            if note is not None:
                yield size, note

    def _published(self, prefix: str, suffix: str, at_least: int) -> Iterator[tuple[int, str | None]]:
        """Sizes with the id of the first version, which is None where that may be on the next page."""
        seen = at_least - 1
        start = f"{prefix}{max(at_least, 1) - 1:012d}{suffix}"
        for page in pages(self._client, self._bucket, prefix=prefix, after=start, whole_keys=False):
            # Newest first: of each name the last entry stays.
            oldest = {version["Key"].removeprefix(prefix): version["VersionId"] for version in page.get("Versions", [])}
            cut = next(reversed(oldest), None) if page.get("IsTruncated", False) else None
            for name, version_id in oldest.items():
                digits = name.removesuffix(suffix)
                if _SIZE.fullmatch(digits) and name.endswith(suffix) and int(digits) > seen:
                    seen = int(digits)
                    yield seen, None if name == cut else version_id

    @translated("S3")
    def _first(self, key: str, version_id: str | None) -> bytes | None:
        """The first version of a file, by its id where that is known."""
        if version_id is None:
            return self._version(key)
        return self._read(key, version_id)

    def names(self, owner: str, prefix: str, *, after: str = "") -> Iterator[str]:
        """Paths with this prefix, after `after`, ascending, hidden ones included. IAM: s3:ListBucketVersions."""
        start, beyond, last = _key(owner, prefix), _key(owner, after) if after else "", ""
        for page in pages(self._client, self._bucket, prefix=start, after=beyond, whole_keys=False):
            for version in page.get("Versions", []):
                if version["Key"] != last:
                    last = version["Key"]
                    yield last.removeprefix(_key(owner, ""))

    @translated("S3")
    def extend_lock(self, owner: str, path: str, *, at_least_until_ms: int, retain_until_ms: int) -> int:
        """ListObjectVersions, HeadObject, and PutObjectRetention where the lock is too short.

        IAM: as for `read`, and s3:GetObjectRetention, s3:PutObjectRetention. With these permissions no lock can be
        shortened: S3 refuses that in COMPLIANCE mode, and in GOVERNANCE mode without s3:BypassGovernanceRetention.
        """
        key = _key(owner, path)
        version_id = _last(self._version_ids(key))
        if version_id is None:
            raise EvidenceBroken(f"there is no {key}")
        locked_until_ms = self._locked_until_ms(key, version_id)
        if locked_until_ms >= at_least_until_ms:
            return locked_until_ms
        retention: ObjectLockRetentionTypeDef = {
            "Mode": self._mode,
            "RetainUntilDate": instants.to_datetime(retain_until_ms),
        }
        try:
            self._client.put_object_retention(Bucket=self._bucket, Key=key, VersionId=version_id, Retention=retention)
        except ClientError as error:
            if code_of(error) != "AccessDenied":
                raise
            # S3 refuses to shorten a lock. Another run may have extended this one further since it was read.
            locked_until_ms = self._locked_until_ms(key, version_id)
            if locked_until_ms < at_least_until_ms:
                raise
            return locked_until_ms
        return retain_until_ms

    def _locked_until_ms(self, key: str, version_id: str) -> int:
        """0 for a version without a lock."""
        head = self._client.head_object(Bucket=self._bucket, Key=key, VersionId=version_id)
        until = head.get("ObjectLockRetainUntilDate")
        return 0 if until is None else instants.from_datetime(until)

    @translated("S3")
    def latest(self, owner: str, note: bytes, *, size: int, retain_until_ms: int) -> None:
        """GetObject, and PutObject on condition. IAM: s3:GetObject, and as for `write`."""
        for _ in range(_ROUNDS):
            condition = self._condition(_key(owner, _LATEST), size, count_signatures(note))
            if condition is None:
                return
            try:
                self._put(_key(owner, _LATEST), note, retain_until_ms, **condition)
            except ClientError as error:
                if code_of(error) != "PreconditionFailed":
                    raise
            else:
                return
        raise Unavailable("other runs changed the latest checkpoint at every attempt")

    def _condition(self, key: str, size: int, signatures: int) -> dict[str, str] | None:
        """The condition under which the note replaces the current one; None where that one is as new."""
        try:
            current = self._client.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if code_of(error) != "NoSuchKey":
                raise
            return {"IfNoneMatch": "*"}
        data = content(current, MAX_FILE_BYTES)
        lines = data.split(b"\n", 2)
        if len(lines) > 1 and lines[1].isdigit() and (int(lines[1]), count_signatures(data)) >= (size, signatures):
            return None
        return {"IfMatch": current["ETag"]}

    @translated("S3")
    def _create(self, key: str, data: bytes, retain_until_ms: int) -> None:
        try:
            self._put(key, data, retain_until_ms, IfNoneMatch="*")
        except ClientError as error:
            if code_of(error) != "PreconditionFailed":
                raise
            if self._version(key) != data:
                raise EvidenceBroken(f"{key} is stored with other bytes") from None

    def _put(self, key: str, data: bytes, retain_until_ms: int, **condition: Any) -> None:  # noqa: ANN401 -- S3's own
        put_on_condition(
            self._client,
            Bucket=self._bucket,
            Key=key,
            Body=data,
            ContentType="text/plain; charset=utf-8" if "checkpoint" in key else "application/octet-stream",
            ChecksumSHA256=base64.b64encode(hashlib.sha256(data).digest()).decode(),
            ServerSideEncryption="AES256",
            ObjectLockMode=self._mode,
            ObjectLockRetainUntilDate=instants.to_datetime(retain_until_ms),
            **condition,
        )

    def _version(self, key: str, *, newest: bool = False) -> bytes | None:
        """The content of the first version, which no writer can replace, or of the newest."""
        versions = self._version_ids(key)
        # `checkpoint` gets a hundred thousand versions in a busy year. The newest is on the first page.
        version_id = next(versions, None) if newest else _last(versions)
        if version_id is None:
            return None
        return self._read(key, version_id)

    def _read(self, key: str, version_id: str) -> bytes:
        return content(self._client.get_object(Bucket=self._bucket, Key=key, VersionId=version_id), MAX_FILE_BYTES)

    def _version_ids(self, key: str) -> Iterator[str]:
        """The ids of all versions with content under a key, newest first."""
        for page in pages(self._client, self._bucket, prefix=key):
            yield from (version["VersionId"] for version in page.get("Versions", []) if version["Key"] == key)
            # A key sorts before all others that begin with it.
            if page.get("NextKeyMarker") != key:
                return


def _last(versions: Iterator[str]) -> str | None:
    last = deque(versions, maxlen=1)
    return last[0] if last else None


def _key(owner: str, path: str) -> str:
    return f"{owner}/_log/{path}"
