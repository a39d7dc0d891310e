# SPDX-License-Identifier: Apache-2.0
"""Builds what the export and pack functions need, from the adapters of `bootstrap` and two of their own.

Apart from it, because no other function shall pay for them at its cold start.
"""

from __future__ import annotations

from functools import cache

from indelible.aws.clients import PRESIGNING, WAITING, client
from indelible.aws.pack_function import PackFunction
from indelible.aws.s3_anchors import S3Anchors
from indelible.aws.s3_exports import S3Exports
from indelible.domain.record import Retention
from indelible.entry import bootstrap as shared
from indelible.entry.exporting import ExportDoor
from indelible.entry.machine import TemporaryFiles
from indelible.services.export import Exporter
from indelible.services.export_jobs import ExportJobs
from indelible.services.packing import Packer


@cache
def export_door() -> ExportDoor:
    """For the export function."""
    jobs = ExportJobs(
        records=shared.record_store(),
        journal=shared.journal(),
        files=shared.log_files(),
        store=_store(),
        packers=PackFunction(client=client("lambda", WAITING), name=shared.settings().pack_function),
        clock=shared.clock(),
    )
    return ExportDoor(authenticator=shared.authenticator(), limits=shared.limits(), jobs=jobs, clock=shared.clock())


@cache
def packer() -> Packer:
    """For the pack function."""
    anchors = S3Anchors(client=client("s3"), bucket=shared.settings().bucket)
    exporter = Exporter(
        records=shared.record_store(),
        files=shared.log_files(),
        log=shared.log_reader(),
        ledger_name=shared.settings().ledger_name,
        scratch=TemporaryFiles(),
        clock=shared.clock(),
        anchored=lambda size: ((one.size, one.file) for one in anchors.stored(at_least=size)),
    )
    return Packer(exporter=exporter, store=_store(), clock=shared.clock(), telemetry=shared.telemetry())


@cache
def _store() -> S3Exports:
    settings = shared.settings()
    return S3Exports(
        client=client("s3", PRESIGNING),
        bucket=settings.exports_bucket,
        retention=Retention(lock_mode=settings.lock_mode, days=settings.exports_days),
        clock=shared.clock(),
    )
