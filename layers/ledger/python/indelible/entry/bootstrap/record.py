# SPDX-License-Identifier: Apache-2.0
"""For the record function."""

from __future__ import annotations

from functools import cache

from indelible.entry.bootstrap import bucket, callers, shared, table
from indelible.entry.machine import SystemEntropy, ThreadedWorkers
from indelible.entry.recording import Recorder
from indelible.services.append import Appender


@cache
def recorder() -> Recorder:
    """Records one event, or many."""
    appender = Appender(
        journal=table.journal(),
        records=bucket.record_store(),
        index=table.index(),
        news=table.news(),
        clock=shared.clock(),
        entropy=SystemEntropy(),
        workers=ThreadedWorkers(shared.pool()),
        telemetry=shared.telemetry(),
    )
    return Recorder(
        settings=shared.settings(),
        authenticator=callers.authenticator(),
        limits=callers.limits(),
        appender=appender,
        secrets=callers.secrets(),
        clock=shared.clock(),
    )
