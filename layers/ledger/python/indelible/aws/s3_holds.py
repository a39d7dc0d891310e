# SPDX-License-Identifier: Apache-2.0
"""LegalHolds on the evidence bucket: s3:ObjectLegalHold flags of object versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from indelible.aws.error_map import code_of, translated
from indelible.aws.s3_versions import pages

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3LegalHolds:
    """The flags of one bucket. `client` must allow as many connections as there are calling threads."""

    def __init__(self, *, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def versions(self, s3_key: str) -> Sequence[str]:
        """ListObjectVersions. IAM: s3:ListBucketVersions."""
        found: list[str] = []
        for page in pages(self._client, self._bucket, prefix=s3_key):
            found += [version["VersionId"] for version in page.get("Versions", []) if version["Key"] == s3_key]
            # A key sorts before all others that begin with it.
            if page.get("NextKeyMarker") != s3_key:
                break
        return found[::-1]  # S3 lists the newest first

    @translated("S3")
    def is_on(self, s3_key: str, version_id: str) -> bool:
        """GetObjectLegalHold. IAM: s3:GetObjectLegalHold."""
        try:
            answer = self._client.get_object_legal_hold(Bucket=self._bucket, Key=s3_key, VersionId=version_id)
        except ClientError as error:
            if code_of(error) != "NoSuchObjectLockConfiguration":  # S3's answer for a version that was never held
                raise
            return False
        return answer.get("LegalHold", {}).get("Status") == "ON"

    @translated("S3")
    def switch(self, s3_key: str, version_id: str, *, on: bool) -> None:
        """PutObjectLegalHold. IAM: s3:PutObjectLegalHold."""
        self._client.put_object_legal_hold(
            Bucket=self._bucket, Key=s3_key, VersionId=version_id, LegalHold={"Status": "ON" if on else "OFF"}
        )
