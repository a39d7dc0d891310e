# SPDX-License-Identifier: Apache-2.0
"""The adapter on the bucket of exports, for the two functions that know it."""

from __future__ import annotations

from functools import cache

from indelible.aws.clients import PRESIGNING, client
from indelible.aws.s3_exports import S3Exports
from indelible.domain.record import Retention
from indelible.entry.bootstrap import shared


@cache
def export_store() -> S3Exports:
    """What was exported, and under which address it is fetched."""
    settings = shared.settings()
    return S3Exports(
        client=client("s3", PRESIGNING),
        bucket=settings.exports_bucket,
        retention=Retention(lock_mode=settings.lock_mode, days=settings.exports_days),
        clock=shared.clock(),
    )
