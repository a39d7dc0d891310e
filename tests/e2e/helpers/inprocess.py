# SPDX-License-Identifier: Apache-2.0
"""The product's own wiring (`entry.bootstrap`) in this process, pointed at the emulator and nowhere else.

Invariant: this process's environment and the wiring's caches are afterwards as they were: other tests of the same
session have their own ideas about both.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from indelible.entry import bootstrap
from indelible.entry.bootstrap import shared
from indelible.entry.machine import NoTelemetry
from local.env import Outputs, use_emulator
from tests.bootstrapped import forget


@contextmanager
def wiring(ledger: Outputs, variables: dict[str, str] | None = None) -> Iterator[Any]:
    """`entry.bootstrap` with nothing made yet, in an environment that leads to the emulator.

    What it makes meanwhile goes on working later: clients keep their endpoint. Metrics would go to stdout: they are
    the one thing that is left out.
    """
    before = dict(os.environ)
    use_emulator(os.environ, ledger.endpoint_url)
    os.environ.update(variables or {})
    forget()
    telemetry = shared.telemetry
    shared.telemetry = NoTelemetry  # type: ignore[assignment]
    try:
        yield bootstrap
    finally:
        shared.telemetry = telemetry
        forget()
        os.environ.clear()
        os.environ.update(before)
