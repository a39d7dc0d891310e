# SPDX-License-Identifier: Apache-2.0
"""The adapters on the evidence bucket."""

from __future__ import annotations

from functools import cache

from indelible.aws.s3_log_files import S3LogFiles
from indelible.aws.s3_records import S3Records
from indelible.entry.bootstrap import shared


@cache
def record_store() -> S3Records:
    """The records."""
    return S3Records(client=shared.s3(), bucket=shared.settings().bucket, pool=shared.pool(), clock=shared.clock())


@cache
def log_files() -> S3LogFiles:
    """The files of the logs."""
    settings = shared.settings()
    return S3LogFiles(client=shared.s3(), bucket=settings.bucket, retention=settings.retention(), pool=shared.pool())
