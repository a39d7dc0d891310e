# SPDX-License-Identifier: Apache-2.0
"""The adapters of the evidence bucket.

Invariant: they share one client and one thread pool.
"""

from __future__ import annotations

from functools import cache

from indelible.aws.s3_log_files import S3LogFiles
from indelible.aws.s3_records import S3Records
from indelible.entry.bootstrap import shared


@cache
def record_store() -> S3Records:
    """Reads and seals records."""
    return S3Records(client=shared.s3(), bucket=shared.settings().bucket, pool=shared.pool(), clock=shared.clock())


@cache
def log_files() -> S3LogFiles:
    """Reads and writes the files of the Merkle logs."""
    settings = shared.settings()
    return S3LogFiles(client=shared.s3(), bucket=settings.bucket, retention=settings.retention(), pool=shared.pool())
