# SPDX-License-Identifier: Apache-2.0
"""An organisation that asks for more than its share waits, and nobody else does."""

from __future__ import annotations

from local.env import Outputs
from tests.e2e.helpers.tenant import EVENT, fresh

_MOST = 300  # far more than `org_burst` allows in a few environments together


def test_beyond_its_share_an_organisation_is_asked_to_wait(ledger: Outputs) -> None:
    greedy, modest = fresh(ledger, "greedy"), fresh(ledger, "modest")
    answers = (greedy.post("/v1/verify", {}) for _ in range(_MOST))
    refused = next((answer for answer in answers if answer.status_code != 200), None)
    assert refused is not None, "no limit was met"
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["retryable"]) == (429, "TOO_MANY_REQUESTS", True)
    assert refused.headers["retry-after"] == "1"
    assert modest.verify()["valid"] is True
    # Recording is another function with environments of its own; reading does not stop it.
    assert greedy.record(EVENT)["sequence"] == 1
