# SPDX-License-Identifier: Apache-2.0
"""The pack function's handler: packs an export that `entry.exporting` has begun.

Invariant: it packs exactly the range of its job. It has no access to secrets or to the table, so it authenticates
nobody: only the export function may invoke it.
"""

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
"""Kept for the upload when reading has used up the rest of the time."""


def pack(
    job: dict[str, Any],
    context: LambdaContext,
    *,
    packer: Callable[[], Packer],
    telemetry: PowertoolsTelemetry,
    clock: Clock,
) -> dict[str, Any]:
    """Pack one export, and return its state. One that failed by a fault of the ledger is raised as well."""
    until_ms = deadline_ms(context, clock, keep_ms=_CLOSING_MS)
    with observe(context, telemetry):
        done = packer().run(msgspec.convert(job, ExportJob), deadline_ms=until_ms)
    return {"export_id": done.job.export_id, "status": done.status, "records": done.records}
