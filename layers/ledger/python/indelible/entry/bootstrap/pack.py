# SPDX-License-Identifier: Apache-2.0
"""Wiring of the pack function.

Invariant: it has no secret and no table.
"""

from __future__ import annotations

from functools import cache

from indelible.aws.s3_anchors import S3Anchors
from indelible.entry.bootstrap import bucket, exports_bucket, log, shared
from indelible.entry.machine import TemporaryFiles
from indelible.services.export import Exporter
from indelible.services.packing import Packer


@cache
def packer() -> Packer:
    """Packs exports."""
    anchors = S3Anchors(client=shared.s3(), bucket=shared.settings().bucket)
    exporter = Exporter(
        records=bucket.record_store(),
        files=bucket.log_files(),
        log=log.log_reader(),
        ledger_name=shared.settings().ledger_name,
        scratch=TemporaryFiles(),
        clock=shared.clock(),
        anchored=lambda size: ((one.size, one.file) for one in anchors.stored(at_least=size)),
    )
    return Packer(
        exporter=exporter,
        store=exports_bucket.export_store(),
        scratch=TemporaryFiles(),
        clock=shared.clock(),
        telemetry=shared.telemetry(),
    )
