# SPDX-License-Identifier: Apache-2.0
"""ExportStore on a bucket of its own: `{org_id}/{export_id}/state.json`, and the files beside it under their SHA-256.

Every file is locked for as long as an export is kept; a lifecycle rule takes it away afterwards. A file's key is the
hash of its content, so writing it twice changes nothing. `state.json` alone gets new versions.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from indelible.aws.error_map import code_of, translated
from indelible.domain import instants
from indelible.domain.export_job import FORMS, ExportJob, ExportState
from indelible.domain.record import Retention
from indelible.errors import EvidenceBroken
from indelible.ports import Clock, Noted

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PART = 16 * 1024 * 1024
"""S3 takes 10,000 parts: 160 GB."""
_RACES = ("PreconditionFailed", "ConditionalRequestConflict")


class S3Exports:
    """`client` must sign addresses with Signature Version 4; `retention` is for how long an export is kept."""

    def __init__(self, *, client: S3Client, bucket: str, retention: Retention, clock: Clock) -> None:
        self._client = client
        self._bucket = bucket
        self._retention = retention
        self._clock = clock

    @translated("S3")
    def state(self, org_id: str, export_id: str) -> Noted | None:
        """GetObject. IAM: s3:GetObject, and s3:ListBucket for S3 to say 404."""
        try:
            there = self._client.get_object(Bucket=self._bucket, Key=_state_key(org_id, export_id))
        except ClientError as error:
            if code_of(error) != "NoSuchKey":
                raise
            return None
        try:
            return Noted(ExportState.read(there["Body"].read()), there["ETag"])
        except ValueError:
            raise EvidenceBroken("the note about this export cannot be read") from None

    @translated("S3")
    def note(self, state: ExportState, *, replaces: Noted | None) -> bool:
        """PutObject with If-Match or If-None-Match; after a conflict as for `state`. IAM: s3:PutObject."""
        condition = {"IfNoneMatch": "*"} if replaces is None else {"IfMatch": replaces.tag}
        try:
            self._put(_state_key(state.job.org_id, state.job.export_id), state.data, "application/json", **condition)
        except ClientError as error:
            if code_of(error) not in _RACES:
                raise
            # The SDK sends a request again whose answer was lost, and then conflicts with itself.
            found = self.state(state.job.org_id, state.job.export_id)
            return found is not None and found.state == state
        return True

    @translated("S3")
    def settle(self, state: ExportState) -> None:
        """PutObject. IAM: s3:PutObject."""
        self._put(_state_key(state.job.org_id, state.job.export_id), state.data, "application/json")

    @translated("S3")
    def keep(self, job: ExportJob, pieces: Iterable[bytes], *, form: str, sha256: str) -> int:
        """HeadObject, then PutObject or a multipart upload.

        IAM: s3:GetObject, s3:GetObjectRetention, s3:PutObject, s3:PutObjectRetention, s3:AbortMultipartUpload.
        """
        key, kind = _file_key(job, form, sha256), FORMS[form].content_type
        until_ms = self._clock.now_ms() + self._retention.days * instants.DAY_MS
        there = self._locked_until_ms(key)
        if there is not None and there > self._clock.now_ms():
            return there
        lock: dict[str, Any] = {
            "ObjectLockMode": "GOVERNANCE" if self._retention.lock_mode == "GOVERNANCE" else "COMPLIANCE",
            "ObjectLockRetainUntilDate": instants.to_datetime(until_ms),
            "ChecksumAlgorithm": "SHA256",
        }
        parts = _parts(pieces)
        first, second = next(parts, b""), next(parts, None)
        if second is None:
            self._put(key, first, kind, **lock)
        else:
            self._upload(key, _chained(first, second, parts), kind, lock)
        return until_ms

    def url(self, job: ExportJob, *, form: str, sha256: str, expires_in_s: int) -> str:
        """A presigned GetObject: no call. IAM, when it is used: s3:GetObject."""
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

    def _locked_until_ms(self, key: str) -> int | None:
        try:
            until: datetime | None = self._client.head_object(Bucket=self._bucket, Key=key).get(
                "ObjectLockRetainUntilDate"
            )
        except ClientError as error:
            if code_of(error) not in ("404", "NoSuchKey"):
                raise
            return None
        return instants.from_datetime(until) if until else None

    def _put(self, key: str, data: bytes, kind: str, **more: Any) -> None:  # noqa: ANN401 -- S3's own
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
            # At best: a lifecycle rule of the bucket aborts what is left.
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


def _chained(first: bytes, second: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield second
    yield from others


def _checksum(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _state_key(org_id: str, export_id: str) -> str:
    return f"{org_id}/{export_id}/state.json"


def _file_key(job: ExportJob, form: str, sha256: str) -> str:
    return f"{job.org_id}/{job.export_id}/{sha256}.{FORMS[form].suffix}"
