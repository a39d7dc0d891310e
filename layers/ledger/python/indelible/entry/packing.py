# SPDX-License-Identifier: Apache-2.0
"""The function behind POST /v1/export. It knows no secret and no table, and does only what the endpoint tells it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from indelible.domain.export_job import ExportJob
from indelible.entry.invocation import LambdaContext, deadline_ms, observe
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.ports import Clock
from indelible.services.packing import Packer

_CLOSING_MS = 60_000
"""Kept for the upload when reading has taken all the time there is."""


def pack(
    job: dict[str, Any],
    context: LambdaContext,
    *,
    packer: Callable[[], Packer],
    telemetry: PowertoolsTelemetry,
    clock: Clock,
) -> dict[str, Any]:
    """Pack one export. What goes wrong is noted beside it, and raised where it is a fault."""
    until_ms = deadline_ms(context, clock, keep_ms=_CLOSING_MS)
    with observe(context, telemetry):
        done = packer().run(msgspec.convert(job, ExportJob), deadline_ms=until_ms)
    return {"export_id": done.job.export_id, "status": done.status, "records": done.records}
