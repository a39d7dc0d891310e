# SPDX-License-Identifier: Apache-2.0
"""For the export function."""

from __future__ import annotations

from functools import cache

from indelible.aws.clients import WAITING, client
from indelible.aws.pack_function import PackFunction
from indelible.entry.bootstrap import bucket, callers, exports_bucket, shared, table
from indelible.entry.exporting import ExportApi
from indelible.services.export_jobs import ExportJobs


@cache
def export_api() -> ExportApi:
    """Asks for evidence, and fetches it."""
    jobs = ExportJobs(
        records=bucket.record_store(),
        journal=table.journal(),
        files=bucket.log_files(),
        store=exports_bucket.export_store(),
        packers=PackFunction(client=client("lambda", WAITING), name=shared.settings().pack_function),
        clock=shared.clock(),
    )
    return ExportApi(authenticator=callers.authenticator(), limits=callers.limits(), jobs=jobs, clock=shared.clock())
