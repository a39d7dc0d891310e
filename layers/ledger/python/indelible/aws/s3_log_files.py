# SPDX-License-Identifier: Apache-2.0
"""LogFiles on the evidence bucket: create-only, locked, checksummed, like the records.

`checkpoint` alone gets new versions, and only forward: each replaces exactly the version that was read (`If-Match`).
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
    """`pool` as for `S3Records`."""

    def __init__(self, *, client: S3Client, bucket: str, retention: Retention, pool: ThreadPoolExecutor) -> None:
        self._client = client
        self._bucket = bucket
        self._mode: Literal["COMPLIANCE", "GOVERNANCE"] = (
            "GOVERNANCE" if retention.lock_mode == "GOVERNANCE" else "COMPLIANCE"
        )
        self._pool = pool

    @translated("S3")
    def read(self, owner: str, path: str) -> bytes | None:
        """ListObjectVersions, GetObject. IAM: as for `S3Records.oldest`."""
        return self._version(_key(owner, path), newest=path == _LATEST)

    @translated("S3")
    def current(self, owner: str, path: str) -> bytes | None:
        """GetObject. IAM: s3:GetObject.

        None for AccessDenied, too: without s3:ListBucket on the whole bucket S3 answers that about what is not there.
        `read` tells what is really denied.
        """
        try:
            return content(self._client.get_object(Bucket=self._bucket, Key=_key(owner, path)), MAX_FILE_BYTES)
        except ClientError as error:
            if code_of(error) not in ("NoSuchKey", "AccessDenied"):
                raise
        return None

    def write(self, owner: str, files: Sequence[File], *, retain_until_ms: int) -> None:
        """PutObject for each, many at a time. IAM: s3:PutObject, s3:PutObjectRetention on `*/_log/*`."""
        writing = [self._pool.submit(self._create, _key(owner, f.path), f.data, retain_until_ms) for f in files]
        wait(writing)  # nothing goes on behind the back of who is told of a failure
        for written in writing:
            written.result()

    def sizes(self, owner: str, *, at_least: int) -> Iterator[int]:
        """ListObjectVersions. IAM: s3:ListBucketVersions."""
        return (size for size, _ in self._published(_key(owner, _CHECKPOINTS), "", at_least))

    def checkpoints(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:
        """ListObjectVersions, and GetObject for each, up to 32 at a time. IAM: as for `S3Records.oldest`."""
        return self._read_ahead(_key(owner, _CHECKPOINTS), "", at_least)

    def ledger_proofs(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:
        """The same of the proofs that the ledger's own log holds these checkpoints."""
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
        """Sizes, each with its first version, which is None where it may stand on the page after."""
        seen = at_least - 1
        start = f"{prefix}{max(at_least, 1) - 1:012d}{suffix}"
        for page in pages(self._client, self._bucket, prefix=prefix, after=start, whole_keys=False):
            # Newest first: of each name the last stays.
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
        """Paths with this prefix, after that one, in order, shadowed ones included. IAM: s3:ListBucketVersions."""
        start, beyond, last = _key(owner, prefix), _key(owner, after) if after else "", ""
        for page in pages(self._client, self._bucket, prefix=start, after=beyond, whole_keys=False):
            for version in page.get("Versions", []):
                if version["Key"] != last:
                    last = version["Key"]
                    yield last.removeprefix(_key(owner, ""))

    @translated("S3")
    def extend_lock(self, owner: str, path: str, *, at_least_until_ms: int, retain_until_ms: int) -> int:
        """ListObjectVersions, HeadObject, and PutObjectRetention where it is too short.

        IAM: as for `read`, and s3:GetObjectRetention, s3:PutObjectRetention. S3 itself lets nobody shorten a lock
        by that in COMPLIANCE mode, nor in GOVERNANCE mode without s3:BypassGovernanceRetention.
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
            # S3 shortens no lock. Another run may have made this one longer than ours since it was looked at.
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
        """GetObject and PutObject on condition. IAM: as for `read` and `write`."""
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
        raise Unavailable("the latest checkpoint is changed by others all the time")

    def _condition(self, key: str, size: int, signatures: int) -> dict[str, str] | None:
        """What must still hold for a newer note to be laid over the one that is there; None: that one is as new."""
        try:
            there = self._client.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if code_of(error) != "NoSuchKey":
                raise
            return {"IfNoneMatch": "*"}
        data = content(there, MAX_FILE_BYTES)
        said = data.split(b"\n", 2)
        if len(said) > 1 and said[1].isdigit() and (int(said[1]), count_signatures(data)) >= (size, signatures):
            return None
        return {"IfMatch": there["ETag"]}

    @translated("S3")
    def _create(self, key: str, data: bytes, retain_until_ms: int) -> None:
        try:
            self._put(key, data, retain_until_ms, IfNoneMatch="*")
        except ClientError as error:
            if code_of(error) != "PreconditionFailed":
                raise
            if self._version(key) != data:
                raise EvidenceBroken(f"{key} holds something else") from None

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
        """The first version, which nothing can be laid under; or the newest, which S3 lists before all others."""
        versions = self._version_ids(key)
        # `checkpoint` gets a hundred thousand versions in a busy year: the others are not listed.
        version_id = next(versions, None) if newest else _last(versions)
        if version_id is None:
            return None
        return self._read(key, version_id)

    def _read(self, key: str, version_id: str) -> bytes:
        return content(self._client.get_object(Bucket=self._bucket, Key=key, VersionId=version_id), MAX_FILE_BYTES)

    def _version_ids(self, key: str) -> Iterator[str]:
        """Every version under a key that has content, newest first."""
        for page in pages(self._client, self._bucket, prefix=key):
            yield from (version["VersionId"] for version in page.get("Versions", []) if version["Key"] == key)
            # A key is the first of those that it is a prefix of.
            if page.get("NextKeyMarker") != key:
                return


def _last(versions: Iterator[str]) -> str | None:
    last = deque(versions, maxlen=1)
    return last[0] if last else None


def _key(owner: str, path: str) -> str:
    return f"{owner}/_log/{path}"
