# SPDX-License-Identifier: Apache-2.0
"""What takes up to a minute: begun where it is first asked for, looked at by test_within_a_minute.py.

That file comes last; the first file of this directory begins them, so that nobody sits and waits.
"""

from __future__ import annotations

import time
from functools import cache
from typing import Any

from local.env import Outputs
from tests.e2e.helpers.tenant import Tenant, events, fresh, registry


@cache
def left_to_the_schedule(ledger: Outputs) -> tuple[Tenant, list[dict[str, Any]]]:
    """An organisation with records that no test asks the anchor for."""
    org = fresh(ledger, "scheduled")
    return org, org.record_batch(events(3))


@cache
def key_disabled_in_use(ledger: Outputs) -> tuple[Tenant, float]:
    """An organisation whose key was disabled just after the ledger had used it, and when (monotonic seconds)."""
    org = fresh(ledger, "revoked")
    org.record()
    org.verify()
    registry(ledger).disable(org.org_id, org.key_id)
    return org, time.monotonic()
