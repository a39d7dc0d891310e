# SPDX-License-Identifier: Apache-2.0
"""The appender, for the functions that record.

Invariant: one per environment, so that it sees every head that the environment has written.
"""

from __future__ import annotations

from functools import cache

from indelible.entry.bootstrap import bucket, shared, table
from indelible.entry.machine import SystemEntropy, ThreadedWorkers
from indelible.services.append import Appender


@cache
def appender() -> Appender:
    """Appends records; it caches the heads of the chains that it has written to."""
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
