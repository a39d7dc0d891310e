# SPDX-License-Identifier: Apache-2.0
"""What records, for the functions that do."""

from __future__ import annotations

from functools import cache

from indelible.entry.bootstrap import bucket, shared, table
from indelible.entry.machine import SystemEntropy, ThreadedWorkers
from indelible.services.append import Appender


@cache
def appender() -> Appender:
    """Remembers the heads of the chains that this environment has written to."""
    return Appender(
        journal=table.journal(),
        records=bucket.record_store(),
        index=table.index(),
        news=table.news(),
        clock=shared.clock(),
        entropy=SystemEntropy(),
        workers=ThreadedWorkers(shared.pool()),
        telemetry=shared.telemetry(),
    )
