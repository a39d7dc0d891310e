# SPDX-License-Identifier: Apache-2.0
"""What takes a minute: begun by the first file of this directory, looked at by the last, test_within_a_minute.py."""

from __future__ import annotations

import time
from functools import cache

from local.env import Outputs
from tests.e2e.helpers.tenant import Tenant, fresh, registry


@cache
def key_disabled_in_use(ledger: Outputs) -> tuple[Tenant, float]:
    """An organisation whose key was disabled just after the ledger had used it, and when (monotonic seconds)."""
    org = fresh(ledger, "revoked")
    org.record()
    org.verify()
    registry(ledger).disable(org.org_id, org.key_id)
    return org, time.monotonic()
