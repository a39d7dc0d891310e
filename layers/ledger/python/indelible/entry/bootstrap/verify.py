# SPDX-License-Identifier: Apache-2.0
"""Wiring of the verify function.

Invariant: it only reads.
"""

from __future__ import annotations

from functools import cache

from indelible.entry.bootstrap import bucket, callers, log, shared, table
from indelible.entry.verifying import VerifyApi
from indelible.services.verify import Verifier


@cache
def verify_api() -> VerifyApi:
    """Serves POST /v1/verify."""
    verifier = Verifier(
        records=bucket.record_store(), journal=table.journal(), log=log.log_reader(), clock=shared.clock()
    )
    return VerifyApi(gate=callers.gate(), verifier=verifier)
