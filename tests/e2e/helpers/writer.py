# SPDX-License-Identifier: Apache-2.0
"""A client that records one event after another and tries again only what the ledger calls retryable."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.helpers.tenant import Tenant

_ATTEMPTS = 20


@dataclass
class Report:
    """What one client saw. `refused` holds answers that no retry may mend; `retried` the codes that it retried."""

    receipts: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    retried: list[str] = field(default_factory=list)


def write(org: Tenant, number: int, count: int) -> Report:
    """Record `count` events, each under an idempotency key of its own."""
    report = Report()
    for position in range(count):
        event = {
            "event_type": "AGENT_DECISION",
            "actor": f"client-{number}",
            "payload": {"position": position},
            "idempotency_key": f"{number}/{position}",
        }
        for _ in range(_ATTEMPTS):
            answer = org.post("/v1/record", event)
            if answer.status_code == 200:
                report.receipts.append(answer.json()["receipt"])
                break
            error = answer.json().get("error", {"code": answer.text, "retryable": False})
            if not error["retryable"]:
                report.refused.append(f"{answer.status_code} {error['code']}")
                break
            report.retried.append(error["code"])
            time.sleep(random.uniform(0.05, 0.5))
        else:
            report.refused.append(f"no receipt after {_ATTEMPTS} attempts")
    return report
