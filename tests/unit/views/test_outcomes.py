# SPDX-License-Identifier: Apache-2.0
"""Outcomes and actions are recognized by whole words; defaults for unknown ones are marked as assumed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.views.test_views import sealed, viewed


def aat_of(**event: Any) -> dict[str, Any]:
    (made,) = viewed("aat", list(sealed([{"event_type": "X", "payload": {}} | event]))).splitlines()
    found: dict[str, Any] = json.loads(made)
    return found


@pytest.mark.parametrize(
    ("said", "means"),
    [
        *(
            (said, "denied")
            for said in ("DISALLOWED", "disapproved", "REVOKED", "REJECTED", "deny", "not_approved", "Not allowed")
        ),
        *((said, "failure") for said in ("BROKEN", "INCOMPLETE", "UNSUCCESSFUL", "Not OK", "notDone")),
        *((said, "failure") for said in ("FAILED", "success: 3 errors", "UN-SUCCESSFUL")),
        *((said, "success") for said in ("SUCCESS", "ok", "Approved.", "human_approved", "toolCompleted")),
        *((said, "timeout") for said in ("TIMEOUT", "timed_out", "timedOut")),
        *((said, "escalated") for said in ("REQUIRE_HUMAN", "requires human", "ESCALATED")),
    ],
)
def test_aat_reads_outcomes_by_whole_words(said: str, means: str) -> None:
    made = aat_of(aow_context={"outcome": said})
    assert made["outcome"] == means
    assert "outcome" not in made["action_detail"]["assumed"]


@pytest.mark.parametrize("said", ["INVOKED", "TOKEN", "UNAPPROVABLE", "NÖOK", "not denied", "1", "2OKS", "…"])
def test_aat_assumes_an_outcome_that_it_does_not_know(said: str) -> None:
    made = aat_of(aow_context={"outcome": said})
    assert "outcome" in made["action_detail"]["assumed"]
    assert made["action_detail"]["aow_context"] == {"outcome": said}


@pytest.mark.parametrize("said", [{"success": False}, ["OK"], True])
def test_aat_takes_no_outcome_from_what_is_no_text(said: Any) -> None:
    assert "outcome" in aat_of(payload={"decision": said})["action_detail"]["assumed"]


@pytest.mark.parametrize(
    ("event_type", "action", "gate"),
    [
        ("INVESTIGATE_CLAIM", "lifecycle", False),
        ("POLICYHOLDER_MOVED", "lifecycle", False),
        ("TOOLING_UPDATED", "lifecycle", False),
        ("toolCall.response", "tool_response", False),
        ("policyGate", "decision", True),
        ("LOAD_FAILED", "error", False),
    ],
)
def test_aat_reads_event_types_by_whole_words(event_type: str, action: str, gate: bool) -> None:
    made = aat_of(event_type=event_type)
    assert (made["action_type"], made["record_phase"] == "pre_execution") == (action, gate)
