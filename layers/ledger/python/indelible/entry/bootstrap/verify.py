# SPDX-License-Identifier: Apache-2.0
"""For the verify function."""

from __future__ import annotations

from functools import cache

from indelible.entry.bootstrap import bucket, callers, log, shared, table
from indelible.entry.verifying import VerifyApi
from indelible.services.verify import Verifier


@cache
def verify_api() -> VerifyApi:
    """Verifies a range."""
    verifier = Verifier(
        records=bucket.record_store(), journal=table.journal(), log=log.log_reader(), clock=shared.clock()
    )
    return VerifyApi(gate=callers.gate(), verifier=verifier)
