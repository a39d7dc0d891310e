# SPDX-License-Identifier: Apache-2.0
"""For the record function."""

from __future__ import annotations

from functools import cache

from indelible.entry.bootstrap import callers, shared
from indelible.entry.bootstrap.appender import appender
from indelible.entry.recording import Recorder


@cache
def recorder() -> Recorder:
    """Records one event, or many."""
    return Recorder(
        settings=shared.settings(),
        authenticator=callers.authenticator(),
        limits=callers.limits(),
        appender=appender(),
        secrets=callers.secrets(),
        clock=shared.clock(),
    )
