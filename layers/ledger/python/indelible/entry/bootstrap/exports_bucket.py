# SPDX-License-Identifier: Apache-2.0
"""The adapter of the exports bucket, for the export and pack functions.

Invariant: exports are locked for `exports_days`, independently of the retention of records.
"""

from __future__ import annotations

from functools import cache

from indelible.aws.clients import PRESIGNING, client
from indelible.aws.s3_exports import S3Exports
from indelible.domain.record import Retention
from indelible.entry.bootstrap import shared


@cache
def export_store() -> S3Exports:
    """Stores exports, and presigns their URLs."""
    settings = shared.settings()
    return S3Exports(
        client=client("s3", PRESIGNING),
        bucket=settings.exports_bucket,
        retention=Retention(lock_mode=settings.lock_mode, days=settings.exports_days),
        clock=shared.clock(),
    )
