# SPDX-License-Identifier: Apache-2.0
"""What a summary counts, in bounded memory, without guessing what a record does not state."""

from __future__ import annotations

from typing import Any

import pytest

from indelible.views import summary
from indelible.views.source import entries
from indelible.views.summary import NOBODY, UNNAMED, Summary, Tally
from tests.unit.views.test_views import EVENTS, sealed


def counted(*events: dict[str, Any]) -> Summary:
    return Summary.of(entries(sealed(list(events))))


def gate(word: str, **more: Any) -> dict[str, Any]:
    return {"event_type": "POLICY_EVALUATED", "payload": {"gate": word}, **more}


def test_events_agents_outcomes_and_both_ends() -> None:
    found = counted(*EVENTS)
    assert found.records == 4
    assert found.event_types.most(9) == [
        ("AGENT_DECISION", 1),
        ("POLICY_GATE", 1),
        ("TOOL_CALL", 1),
        ("TOOL_RESULT", 1),
    ]
    assert found.agents.most(9) == [(NOBODY, 2), ("@gate", 1), ("loan-officer-agent", 1)]
    assert found.outcomes.most(9) == [("SUCCESS", 1)]
    assert found.first is not None
    assert found.last is not None
    assert (found.first.sequence, found.first.event_type) == (1, "AGENT_DECISION")
    assert (found.last.sequence, found.last.event_type) == (4, "TOOL_CALL")


def test_an_agent_without_an_actor_is_its_urn() -> None:
    event = {"event_type": "X", "aow_context": {"agent_urn": "urn:axis:agent:classifier"}}
    assert counted(event).agents.most(1) == [("urn:axis:agent:classifier", 1)]


def test_nothing_at_all() -> None:
    found = counted()
    assert (found.records, found.first, found.last, found.event_types.total) == (0, None, None, 0)


@pytest.mark.parametrize(
    "event",
    [
        gate("BLOCK"),
        gate("block"),
        {"event_type": "POLICY_GATE", "payload": {"decision": "BLOCK"}},
        {"event_type": "POLICY_GATE", "aow_context": {"outcome": "BLOCK"}},
        {"event_type": "POLICY_GATE", "detail": {"gate": "BLOCK"}},
        gate("BLOCK", aow_context={"outcome": "SUCCESS"}),
    ],
)
def test_where_a_gate_may_say_its_word(event: dict[str, Any]) -> None:
    found = counted(event)
    assert (found.gates, found.shadow_gates) == ({"BLOCK": 1}, {})


@pytest.mark.parametrize(
    "event",
    [
        {"event_type": "policy.shadow.would_have_blocked", "aow_context": {"outcome": "BLOCK"}},
        {"event_type": "POLICY_EVALUATED", "payload": {"gate": "BLOCK", "mode": "shadow"}},
    ],
)
def test_a_policy_that_is_only_tried_out_blocks_nothing(event: dict[str, Any]) -> None:
    found = counted(event)
    assert (found.gates, found.shadow_gates) == ({}, {"BLOCK": 1})


@pytest.mark.parametrize("event", [gate("BLOCKED"), gate("MAYBE"), {"event_type": "BLOCK"}, {"event_type": "shadowy"}])
def test_what_is_no_word_of_a_gate(event: dict[str, Any]) -> None:
    found = counted(event)
    assert (found.gates, found.shadow_gates) == ({}, {})


def test_overrides_are_those_that_say_so() -> None:
    def said(**override: Any) -> dict[str, Any]:
        return {"event_type": "HUMAN_DECISION", "regulatory": {"human_override": override}}

    found = counted(
        said(overridden=True, operator="officer-17", reason="too much"),
        said(overridden=False, operator="officer-17"),
        said(overridden="yes"),
        said(overridden=True),
    ).overrides
    assert found.count == 2
    assert [(one.sequence, one.cause, one.reason) for one in found.first] == [
        (1, "officer-17", "too much"),
        (4, NOBODY, ""),
    ]


@pytest.mark.parametrize(
    ("outcome", "failed"),
    [
        *((said, 1) for said in ("FAILURE", "error: upstream", "TIMEOUT", "aborted", "BROKEN", "timedOut")),
        *((said, 0) for said in ("PARTIAL", "BLOCK", "NO_ERRORS", "FAILSAFE", 7)),
    ],
)
def test_failures_are_outcomes_that_say_so(outcome: object, failed: int) -> None:
    event = {"event_type": "TOOL_RESULT", "aow_context": {"outcome": outcome}, "reason": "the bureau was down"}
    found = counted(event).failures
    assert found.count == failed
    assert [(one.cause, one.reason) for one in found.first] == [(outcome, "the bureau was down")] * failed


def test_of_many_alike_the_first_are_kept() -> None:
    failure = {"event_type": "TOOL_RESULT", "aow_context": {"outcome": "FAILURE"}}
    found = counted(*[failure] * (summary.MOST_KEPT + 3)).failures
    assert (found.count, len(found.first), found.first[-1].sequence) == (28, 25, 25)


def test_names_beyond_the_most_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "MOST_NAMES", 3)
    tally = Tally()
    for name in "abcdeaafb":
        tally.add(name)
    assert tally.most(2) == [("a", 3), ("b", 2)]
    assert (tally.total, tally.kinds) == (9, 4)


def test_long_text_is_cut_off() -> None:
    found = counted({"event_type": "X", "actor": "a" * 300}, {"event_type": "X", "actor": "a" * 400})
    assert found.agents.most(9) == [("a" * 200 + "…", 2)]


def test_members_of_other_kinds_say_nothing() -> None:
    found = counted({"event_type": 7, "actor": 5, "aow_context": [1], "regulatory": 5, "payload": "x"})
    assert found.event_types.most(1) == [(UNNAMED, 1)]
    assert found.agents.most(1) == [(NOBODY, 1)]
    assert (found.outcomes.total, found.overrides.count, found.failures.count) == (0, 0, 0)
