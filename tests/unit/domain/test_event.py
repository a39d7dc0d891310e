# SPDX-License-Identifier: Apache-2.0
"""What may be sent as an event, and how the rest is refused: a stable code, the field by name, never its value."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from indelible.domain import event
from indelible.entry.models import BatchRequest
from indelible.errors import InvalidField, InvalidRequest, LedgerError, MissingField, UnknownField

FULL: dict[str, Any] = {
    "event_type": "AGENT_DECISION",
    "payload": {"anything": [1, None, {"at": "all"}]},
    "aow_context": {"intent_id": "i", "agent_urn": "u", "policy_urn": "p", "outcome": "SUCCESS"},
    "level": "decision",
    "trace_id": "t",
    "correlation_id": "c",
    "actor": "a",
    "action": "b",
    "target": "c",
    "reason": "because",
    "occurred_at": "2026-03-20T14:22:01+01:00",
    "regulatory": {
        "regulations": ["SOX"],
        "rule_citations": ["404(b)"],
        "confidence": 0.93,
        "human_override": {"overridden": True, "operator": "jane", "reason": "wrong"},
    },
}


def checked(**changed: Any) -> event.Event:
    return event.validate({"event_type": "X", **changed}, event.Event)


def test_everything_at_once_is_recorded_as_it_was_sent() -> None:
    assert event.from_arguments(FULL, event.validate(FULL, event.Event)) == FULL


def test_the_least_is_an_event_type() -> None:
    assert event.from_arguments({"event_type": "X"}, checked()) == {"event_type": "X"}


def test_detail_is_another_name_for_payload() -> None:
    sent: Any = {"event_type": "X", "detail": {"a": 1}}

    assert event.from_arguments(sent, checked(detail={"a": 1})) == {"event_type": "X", "payload": {"a": 1}}


def test_timestamp_is_another_name_for_occurred_at() -> None:
    at = "2026-03-20T14:22:01Z"
    sent: Any = {"event_type": "X", "timestamp": at}

    assert event.from_arguments(sent, checked(timestamp=at)) == {"event_type": "X", "occurred_at": at}


@pytest.mark.parametrize("at", ["yesterday", "2026-03-20 14:22:01Z", 1])
def test_a_timestamp_is_an_instant(at: object) -> None:
    with pytest.raises(InvalidField) as refused:
        checked(timestamp=at)
    assert refused.value.field == "timestamp"


@pytest.mark.parametrize(
    "both",
    [{"detail": {}, "payload": {}}, {"timestamp": "2026-03-20T14:22:01Z", "occurred_at": "2026-03-20T14:22:01Z"}],
)
def test_both_names_at_once_are_refused(both: dict[str, object]) -> None:
    with pytest.raises(InvalidField) as refused:
        event.from_arguments({}, checked(**both))
    assert refused.value.field == next(iter(both))


def test_a_decision_needs_its_reason() -> None:
    with pytest.raises(MissingField) as refused:
        event.from_arguments({}, checked(level="decision"))
    assert refused.value.field == "reason"
    for level in ("pipeline", "agent"):
        event.from_arguments({}, checked(level=level))


@pytest.mark.parametrize(
    "name",
    ["X", "AGENT_DECISION", "policy.shadow.would_have_blocked", "a:b/c-d.e_f", "9", "x" * 128],
)
def test_event_types_that_are_taken(name: str) -> None:
    assert checked(event_type=name).event_type == name


@pytest.mark.parametrize(
    ("sent", "error", "field"),
    [
        ({}, MissingField, "event_type"),
        ({"event_type": ""}, InvalidField, "event_type"),
        ({"event_type": "x" * 129}, InvalidField, "event_type"),
        ({"event_type": "X\n"}, InvalidField, "event_type"),
        ({"event_type": " X"}, InvalidField, "event_type"),
        ({"event_type": ".X"}, InvalidField, "event_type"),
        ({"event_type": "Ä"}, InvalidField, "event_type"),
        ({"event_type": None}, InvalidField, "event_type"),
        ({"event_type": 1}, InvalidField, "event_type"),
        ({"event_type": ["X"]}, InvalidField, "event_type"),
        ({"event_type": "X", "sanitized_paths": []}, UnknownField, "sanitized_paths"),
        ({"event_type": "X", "time": "now"}, UnknownField, "time"),
        ({"event_type": "X", "": 1}, UnknownField, ""),
        ({"event_type": "X", "payload": []}, InvalidField, "payload"),
        ({"event_type": "X", "payload": "text"}, InvalidField, "payload"),
        ({"event_type": "X", "payload": None}, InvalidField, "payload"),
        ({"event_type": "X", "aow_context": {"outcome": 1}}, InvalidField, "aow_context.outcome"),
        ({"event_type": "X", "aow_context": {"who": "me"}}, UnknownField, "aow_context.who"),
        ({"event_type": "X", "aow_context": {"intent_id": "x" * 1025}}, InvalidField, "aow_context.intent_id"),
        ({"event_type": "X", "level": "boss"}, InvalidField, "level"),
        ({"event_type": "X", "level": 1}, InvalidField, "level"),
        ({"event_type": "X", "trace_id": ""}, InvalidField, "trace_id"),
        ({"event_type": "X", "trace_id": "x" * 257}, InvalidField, "trace_id"),
        ({"event_type": "X", "reason": ""}, InvalidField, "reason"),
        ({"event_type": "X", "reason": " \n\t"}, InvalidField, "reason"),
        ({"event_type": "X", "reason": None}, InvalidField, "reason"),
        ({"event_type": "X", "occurred_at": "yesterday"}, InvalidField, "occurred_at"),
        ({"event_type": "X", "occurred_at": "2026-03-20T14:22:01"}, InvalidField, "occurred_at"),
        ({"event_type": "X", "occurred_at": "2026-02-30T14:22:01Z"}, InvalidField, "occurred_at"),
        ({"event_type": "X", "occurred_at": 1_774_016_521}, InvalidField, "occurred_at"),
        ({"event_type": "X", "regulatory": {"confidence": 1.01}}, InvalidField, "regulatory.confidence"),
        ({"event_type": "X", "regulatory": {"confidence": -0.01}}, InvalidField, "regulatory.confidence"),
        ({"event_type": "X", "regulatory": {"confidence": "0.5"}}, InvalidField, "regulatory.confidence"),
        ({"event_type": "X", "regulatory": {"confidence": True}}, InvalidField, "regulatory.confidence"),
        ({"event_type": "X", "regulatory": {"regulations": "SOX"}}, InvalidField, "regulatory.regulations"),
        ({"event_type": "X", "regulatory": {"regulations": ["SOX", 1]}}, InvalidField, "regulatory.regulations[1]"),
        ({"event_type": "X", "regulatory": {"regulations": ["x"] * 65}}, InvalidField, "regulatory.regulations"),
        (
            {"event_type": "X", "regulatory": {"human_override": {}}},
            MissingField,
            "regulatory.human_override.overridden",
        ),
        (
            {"event_type": "X", "regulatory": {"human_override": {"overridden": 1}}},
            InvalidField,
            "regulatory.human_override.overridden",
        ),
    ],
    ids=str,
)
def test_refusals_name_the_field(sent: dict[str, Any], error: type[LedgerError], field: str) -> None:
    with pytest.raises(error) as refused:
        event.validate(sent, event.Event)

    assert refused.value.field == field
    assert (refused.value.status, refused.value.retryable) == (400, False)
    assert refused.value.code == error.code


@pytest.mark.parametrize(
    "sent",
    [
        {"event_type": "hunter2 hunter2"},
        {"event_type": "X", "level": "hunter2"},
        {"event_type": "X", "occurred_at": "hunter2"},
        {"event_type": "X", "reason": ["hunter2"]},
        {"event_type": "X", "payload": "hunter2"},
        {"event_type": "X", "trace_id": "hunter2" * 100},
        {"event_type": "X", "regulatory": {"regulations": {"a": "hunter2"}}},
        {"event_type": "X", "aow_context": "hunter2"},
    ],
    ids=str,
)
def test_a_refusal_never_repeats_the_value(sent: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        event.validate(sent, event.Event)

    assert "hunter2" not in str(refused.value.as_dict())


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"event_type": 1}, "Expected `str`, got `int` - at `$.event_type`"),
        ({"event_type": "X", "aow_context": {"outcome": 1}}, "Expected `str`, got `int` - at `$.aow_context.outcome`"),
        ({"event_type": "X", "level": "boss"}, "Invalid enum value 'boss' - at `$.level`"),
        (
            {"event_type": "X", "regulatory": {"regulations": ["SOX", 1]}},
            "Expected `str`, got `int` - at `$.regulatory.regulations[1]`",
        ),
    ],
)
def test_msgspec_names_the_place_in_these_words(sent: dict[str, Any], message: str) -> None:
    """From nothing else is it known: where they change, a refusal says `body`."""
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(sent, event.Event)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    "said", ["unknown field", "Object contains unknown field `x`", "missing required field", "x` - at `$.reason"]
)
def test_a_value_that_reads_like_a_refusal_makes_none(said: str) -> None:
    with pytest.raises(InvalidField) as refused:
        checked(level=said)
    assert (refused.value.field, refused.value.message) == ("level", "allowed: pipeline, agent, decision")


def test_in_a_list_the_place_is_named_too() -> None:
    sent: Any = {"org_id": "acme-corp", "events": [{"event_type": "X"}, {"event_type": "X", "aow_context": {"who": 1}}]}
    with pytest.raises(UnknownField) as refused:
        event.validate(sent, BatchRequest)
    assert refused.value.field == "events[1].aow_context.who"


@pytest.mark.parametrize("name", ["a`b", "x` - at `$.y", "$", "a.b", "[0]", "ключ", "with space", "`"])
def test_a_field_with_any_name_is_refused_not_misread_as_an_error_of_ours(name: str) -> None:
    with pytest.raises(UnknownField) as refused:
        event.validate({"event_type": "X", name: 1}, event.Event)

    assert refused.value.field == name


def test_confidence_at_its_bounds() -> None:
    for confidence in (0, 0.0, 1, 1.0):
        checked(regulatory={"confidence": confidence})
