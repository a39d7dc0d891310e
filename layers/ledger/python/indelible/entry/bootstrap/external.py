# SPDX-License-Identifier: Apache-2.0
"""Wiring of the external anchoring function.

Invariant: it signs nothing, and has no table.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache

from indelible.aws.clients import THREADS
from indelible.aws.s3_anchors import S3Anchors
from indelible.entry import external_settings
from indelible.entry.bootstrap import bucket, log, shared
from indelible.entry.machine import ThreadedWorkers
from indelible.external.http import Http
from indelible.external.opentimestamps import CalendarServer
from indelible.external.rfc3161 import TimestampServer
from indelible.external.witness import WitnessServer
from indelible.services.external_anchors import ExternalAnchors


@cache
def external_anchors() -> ExternalAnchors:
    """Gets external anchors for checkpoints. Raises ConfigurationError for settings that cannot be read."""
    settings = shared.settings()
    named, http = external_settings.load(settings.external_anchors), Http()
    return ExternalAnchors(
        log=log.log_reader(),
        files=bucket.log_files(),
        anchors=S3Anchors(client=shared.s3(), bucket=settings.bucket),
        authorities=[
            TimestampServer(name=name, url=url, http=http) for name, url in named.timestamp_authorities.items()
        ],
        calendars=[CalendarServer(name=name, url=url, http=http) for name, url in named.calendars.items()],
        witnesses=[WitnessServer(key=key, url=url, http=http) for key, url in named.witness_keys().items()],
        quorum=named.witness_quorum,
        retention=settings.retention(),
        # Tracks wait for files that are written in the shared pool, so they need threads of their own.
        workers=ThreadedWorkers(ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="track")),
        clock=shared.clock(),
        telemetry=shared.telemetry(),
    )
