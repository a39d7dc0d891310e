# SPDX-License-Identifier: Apache-2.0
"""ExportStore on a bucket of its own: `{org_id}/{export_id}/state.json`, and each file beside it under its SHA-256.

Every file is locked for as long as an export is kept; a lifecycle rule deletes it afterwards. A file's key is the hash
of its content, so writing it twice changes nothing. `state.json` alone gets new versions.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from indelible.aws.error_map import code_of, translated
from indelible.domain import instants
from indelible.domain.export_job import FORMS, ExportJob, ExportState
from indelible.domain.record import Retention
from indelible.errors import EvidenceBroken
from indelible.ports import Clock, StoredState

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PART = 16 * 1024 * 1024
"""S3 takes 10,000 parts: 160 GB."""
_CONFLICTS = ("PreconditionFailed", "ConditionalRequestConflict")


class S3Exports:
    """Exports of all organisations, each below a prefix of its own.

    `client` must sign addresses with Signature Version 4. `retention` says for how long a file is locked.
    """

    def __init__(self, *, client: S3Client, bucket: str, retention: Retention, clock: Clock) -> None:
        self._client = client
        self._bucket = bucket
        self._retention = retention
        self._clock = clock

    @translated("S3")
    def state(self, org_id: str, export_id: str) -> StoredState | None:
        """GetObject. IAM: s3:GetObject, and s3:ListBucket for S3 to answer 404 rather than 403."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=_state_key(org_id, export_id))
        except ClientError as error:
            if code_of(error) != "NoSuchKey":
                raise
            return None
        try:
            return StoredState(ExportState.read(found["Body"].read()), found["ETag"])
        except ValueError:
            raise EvidenceBroken("the state of this export cannot be read") from None

    @translated("S3")
    def swap(self, state: ExportState, *, replaces: StoredState | None) -> bool:
        """PutObject on condition; GetObject after a conflict. IAM: s3:PutObject, and as for `state`."""
        condition = {"IfNoneMatch": "*"} if replaces is None else {"IfMatch": replaces.tag}
        try:
            self._put_state(state, **condition)
        except ClientError as error:
            if code_of(error) not in _CONFLICTS:
                raise
            # The SDK repeats a request whose answer was lost, and the second one then conflicts with the first.
            found = self.state(state.job.org_id, state.job.export_id)
            return found is not None and found.state == state
        return True

    @translated("S3")
    def put_state(self, state: ExportState) -> None:
        """PutObject. IAM: s3:PutObject."""
        self._put_state(state)

    @translated("S3")
    def put_file(self, job: ExportJob, pieces: Iterable[bytes], *, form: str, sha256: str) -> int:
        """HeadObject, then PutObject, or a multipart upload of a file of more than 16 MiB.

        IAM: s3:GetObject, s3:GetObjectRetention, s3:PutObject, s3:PutObjectRetention, s3:AbortMultipartUpload.
        """
        key, kind = _file_key(job, form, sha256), FORMS[form].content_type
        now_ms = self._clock.now_ms()
        locked_until_ms = self._locked_until_ms(key)
        if locked_until_ms > now_ms:
            return locked_until_ms
        until_ms = now_ms + self._retention.days * instants.DAY_MS
        lock: dict[str, Any] = {
            "ObjectLockMode": "GOVERNANCE" if self._retention.lock_mode == "GOVERNANCE" else "COMPLIANCE",
            "ObjectLockRetainUntilDate": instants.to_datetime(until_ms),
            "ChecksumAlgorithm": "SHA256",
        }
        parts = _parts(pieces)
        first, second = next(parts, b""), next(parts, None)
        if second is None:
            self._put_object(key, first, kind, **lock)
        else:
            self._upload(key, chain((first, second), parts), kind, lock)
        return until_ms

    def url(self, job: ExportJob, *, form: str, sha256: str, expires_in_s: int) -> str:
        """A presigned GetObject, made without a call. IAM, when the address is used: s3:GetObject."""
        return self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": _file_key(job, form, sha256),
                "ResponseContentDisposition": f'attachment; filename="{job.file_name(form)}"',
                "ResponseContentType": FORMS[form].content_type,
            },
            ExpiresIn=expires_in_s,
        )

    def _locked_until_ms(self, key: str) -> int:
        """0 for an object without a lock, or none at all."""
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if code_of(error) not in ("404", "NoSuchKey"):
                raise
            return 0
        until = head.get("ObjectLockRetainUntilDate")
        return instants.from_datetime(until) if until else 0

    def _put_state(self, state: ExportState, **condition: str) -> None:
        key = _state_key(state.job.org_id, state.job.export_id)
        self._put_object(key, state.data, "application/json", **condition)

    def _put_object(self, key: str, data: bytes, kind: str, **more: Any) -> None:  # noqa: ANN401 -- S3's own
        checksum = _checksum(data)
        # Named, so that the bucket's default encryption has no say (docs/adr/0001).
        common: dict[str, Any] = {"ContentType": kind, "ChecksumSHA256": checksum, "ServerSideEncryption": "AES256"}
        self._client.put_object(Bucket=self._bucket, Key=key, Body=data, **common, **more)

    def _upload(self, key: str, parts: Iterable[bytes], kind: str, lock: dict[str, Any]) -> None:
        begun = self._client.create_multipart_upload(
            Bucket=self._bucket,
            Key=key,
            ContentType=kind,
            ServerSideEncryption="AES256",
            **lock,
        )
        upload: dict[str, Any] = {"Bucket": self._bucket, "Key": key, "UploadId": begun["UploadId"]}
        try:
            done: list[Any] = []
            for number, part in enumerate(parts, start=1):
                checksum = _checksum(part)
                answer = self._client.upload_part(**upload, PartNumber=number, Body=part, ChecksumSHA256=checksum)
                done.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum})
            self._client.complete_multipart_upload(**upload, MultipartUpload={"Parts": done})
        except BaseException:
            # If that fails, too, a lifecycle rule of the bucket deletes the parts.
            with suppress(ClientError, BotoCoreError):
                self._client.abort_multipart_upload(**upload)
            raise


def _parts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= _PART:
            yield bytes(held[:_PART])
            del held[:_PART]
    if held:
        yield bytes(held)


def _checksum(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _state_key(org_id: str, export_id: str) -> str:
    return f"{org_id}/{export_id}/state.json"


def _file_key(job: ExportJob, form: str, sha256: str) -> str:
    return f"{job.org_id}/{job.export_id}/{sha256}.{FORMS[form].suffix}"
