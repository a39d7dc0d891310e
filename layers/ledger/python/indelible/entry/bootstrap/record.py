# SPDX-License-Identifier: Apache-2.0
"""For the record function."""

from __future__ import annotations

from functools import cache

from indelible.entry.bootstrap import callers, shared
from indelible.entry.bootstrap.appender import appender
from indelible.entry.recording import RecordApi


@cache
def record_api() -> RecordApi:
    """Records one event, or many."""
    return RecordApi(
        settings=shared.settings(),
        gate=callers.gate(),
        appender=appender(),
        secrets=callers.secrets(),
        clock=shared.clock(),
    )
