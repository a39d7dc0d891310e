# SPDX-License-Identifier: Apache-2.0
"""Wiring of the record function.

Invariant: it neither reads nor signs logs.
"""

from __future__ import annotations

from functools import cache

from indelible.entry.bootstrap import callers, shared
from indelible.entry.bootstrap.appender import appender
from indelible.entry.recording import RecordApi


@cache
def record_api() -> RecordApi:
    """Serves POST /v1/record and POST /v1/record/batch."""
    return RecordApi(
        settings=shared.settings(),
        gate=callers.gate(),
        appender=appender(),
        secrets=callers.secrets(),
        clock=shared.clock(),
    )
