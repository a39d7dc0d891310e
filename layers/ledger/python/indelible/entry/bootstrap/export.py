# SPDX-License-Identifier: Apache-2.0
"""Wiring of the export function.

Invariant: it appends to the administrators' log and to no organisation's chain.
"""

from __future__ import annotations

from functools import cache

from indelible.aws.clients import WAITING, client
from indelible.aws.pack_function import PackFunction
from indelible.entry.bootstrap import bucket, callers, exports_bucket, shared, table
from indelible.entry.bootstrap.appender import appender
from indelible.entry.exporting import ExportApi
from indelible.services.admin_log import AdminLog
from indelible.services.export_acts import ExportActs
from indelible.services.export_jobs import ExportJobs


@cache
def export_api() -> ExportApi:
    """Serves POST /v1/export."""
    jobs = ExportJobs(
        records=bucket.record_store(),
        journal=table.journal(),
        files=bucket.log_files(),
        store=exports_bucket.export_store(),
        packers=PackFunction(client=client("lambda", WAITING), name=shared.settings().pack_function),
        clock=shared.clock(),
    )
    admin_log = AdminLog(
        appender=appender(),
        organisations=None,
        secrets=callers.secrets(),
        clock=shared.clock(),
        retention=shared.settings().retention(),
    )
    return ExportApi(
        gate=callers.gate(),
        jobs=jobs,
        acts=ExportActs(admin_log=admin_log),
        clock=shared.clock(),
    )
