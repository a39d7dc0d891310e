# SPDX-License-Identifier: Apache-2.0
"""BucketProbe on S3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from indelible.aws.error_map import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PROBE_CONFIG = Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 1})
"""For its client: a health check must fail soon rather than hang or retry."""


class S3Probe:
    """Probes the evidence bucket."""

    def __init__(self, *, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def trouble(self) -> str | None:
        """HeadBucket. IAM: s3:ListBucket on the bucket."""
        try:
            self._client.head_bucket(Bucket=self._bucket)
        except ClientError as error:
            return code_of(error)
        except BotoCoreError as error:
            return type(error).__name__
        return None
