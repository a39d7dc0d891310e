# SPDX-License-Identifier: Apache-2.0
"""Builds what the function that goes outside needs beyond the ledger's own log. No other function imports this."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from indelible.aws.clients import THREADS, client
from indelible.aws.s3_anchors import S3Anchors
from indelible.entry import outside_settings
from indelible.entry.env import Settings
from indelible.entry.machine import ThreadedWorkers
from indelible.outside.http import Http
from indelible.outside.opentimestamps import CalendarServer
from indelible.outside.rfc3161 import TimestampServer
from indelible.outside.witness import WitnessServer
from indelible.ports import Clock, LogFiles, Telemetry
from indelible.services.log import LogReader
from indelible.services.outside import Outside


def make_outside(*, log: LogReader, files: LogFiles, settings: Settings, clock: Clock, telemetry: Telemetry) -> Outside:
    """Raises ConfigurationError for settings that cannot be read."""
    named, http = outside_settings.load(settings.outside), Http()
    return Outside(
        log=log,
        files=files,
        anchors=S3Anchors(client=client("s3"), bucket=settings.bucket),
        authorities=[
            TimestampServer(name=name, url=url, http=http) for name, url in named.timestamp_authorities.items()
        ],
        calendars=[CalendarServer(name=name, url=url, http=http) for name, url in named.calendars.items()],
        witnesses=[WitnessServer(key=key, url=url, http=http) for key, url in named.witness_keys().items()],
        quorum=named.witness_quorum,
        retention=settings.retention(),
        # What a track does waits for files, which are written in the other pool.
        workers=ThreadedWorkers(ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="track")),
        clock=clock,
        telemetry=telemetry,
    )
