# SPDX-License-Identifier: Apache-2.0
"""Wiring of the meta function.

Invariant: it has no secret and no table, since its routes are public.
"""

from __future__ import annotations

from functools import cache

from indelible.aws.clients import client
from indelible.aws.s3_probe import PROBE_CONFIG, S3Probe
from indelible.entry.bootstrap import log, shared
from indelible.entry.meta import Meta


@cache
def meta() -> Meta:
    """Serves the public routes."""
    settings = shared.settings()
    return Meta(
        settings=settings,
        probe=S3Probe(client=client("s3", PROBE_CONFIG), bucket=settings.bucket),
        keys=log.pinned_keys().stated,
        clock=shared.clock(),
        telemetry=shared.telemetry(),
        second=log.second_key(),
    )
