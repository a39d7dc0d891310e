# SPDX-License-Identifier: Apache-2.0
"""What callers may send as an event, and its validation.

The struct is the definition: validation, the published JSON Schema and the OpenAPI document all come from it.
It only *checks* what was sent. What is recorded is what was sent (after sanitizing), not a re-encoding of the struct,
so a field that was absent stays absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from indelible.domain import instants
from indelible.domain.canonical import JsonObject, shorten
from indelible.errors import InvalidField, InvalidRequest, MissingField, UnknownField

Name = Annotated[str, Meta(max_length=1024)]  # may be empty: an action may have no target
Identifier = Annotated[str, Meta(min_length=1, max_length=256)]
# Not only white space. The pattern lists the characters that Python and ECMAScript (JSON Schema) classify differently.
Reason = Annotated[str, Meta(min_length=1, pattern=r"[^\s\x1c-\x1f\x85\ufeff]")]


class AowContext(Struct, kw_only=True, forbid_unknown_fields=True):
    """The intent, the agent, the policy that governed it, and the outcome."""

    intent_id: Name | UnsetType = UNSET
    agent_urn: Name | UnsetType = UNSET
    policy_urn: Name | UnsetType = UNSET
    outcome: Name | UnsetType = UNSET


class HumanOverride(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whether a person overruled the AI system, who did, and why."""

    overridden: bool
    operator: Name | UnsetType = UNSET
    reason: Reason | UnsetType = UNSET


class Regulatory(Struct, kw_only=True, forbid_unknown_fields=True):
    """The rules that applied to the decision, and whether a person overrode it."""

    regulations: Annotated[list[Name], Meta(max_length=64)] | UnsetType = UNSET
    rule_citations: Annotated[list[Name], Meta(max_length=256)] | UnsetType = UNSET
    confidence: Annotated[float, Meta(ge=0, le=1)] | UnsetType = UNSET
    human_override: HumanOverride | UnsetType = UNSET


class Event(Struct, kw_only=True, forbid_unknown_fields=True):
    """One action or decision of an AI system."""

    event_type: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$(?!\n)",  # Python's $ alone matches before a final newline
            description="What happened, e.g. AGENT_DECISION or policy.shadow.would_have_blocked.",
        ),
    ]
    payload: (
        Annotated[dict[str, Any], Meta(description="The details, in any form. At most 32 levels deep.")] | UnsetType
    ) = UNSET
    detail: Annotated[dict[str, Any], Meta(description="Another name for payload; send one of them.")] | UnsetType = (
        UNSET
    )
    aow_context: AowContext | UnsetType = UNSET
    level: (
        Annotated[
            Literal["pipeline", "agent", "decision"],
            Meta(description="What the event describes: the pipeline, one agent in it, or one decision of an agent."),
        ]
        | UnsetType
    ) = UNSET
    trace_id: Annotated[Identifier, Meta(description="Identifies one run, across all three levels.")] | UnsetType = (
        UNSET
    )
    correlation_id: (
        Annotated[
            Identifier,
            Meta(
                description="Links related events: an id of yours, or the audit_id of the event that this one answers."
            ),
        ]
        | UnsetType
    ) = UNSET
    actor: Annotated[Name, Meta(description="Who did it.")] | UnsetType = UNSET
    action: Annotated[Name, Meta(description="What was done.")] | UnsetType = UNSET
    target: Annotated[Name, Meta(description="What it was done to.")] | UnsetType = UNSET
    reason: Annotated[Reason, Meta(description="Why it was done. Required when level is decision.")] | UnsetType = UNSET
    occurred_at: (
        Annotated[datetime, Meta(tz=True, description="When, by the caller's clock (RFC 3339).")] | UnsetType
    ) = UNSET
    timestamp: (
        Annotated[datetime, Meta(tz=True, description="Another name for occurred_at; send one of them.")] | UnsetType
    ) = UNSET
    regulatory: Regulatory | UnsetType = UNSET


FIELDS = frozenset(Event.__struct_fields__)
OTHER_NAMES = {"detail": "payload", "timestamp": "occurred_at"}
"""Aliases that callers may send, and the names that are recorded."""

_StructT = TypeVar("_StructT", bound=Struct)
_PATH = re.compile(r" - at `(?:key in )?\$\.?([^`]*)`$")


def validate(arguments: JsonObject, model: type[_StructT]) -> _StructT:
    """Check arguments against a model.

    Raises UnknownField, MissingField or InvalidField for the first error, with the dotted path in `field`.
    """
    try:
        checked = msgspec.convert(arguments, model, strict=True)
    except msgspec.ValidationError as error:
        raise _wrong_fields(arguments, model, "") or _wrong_value(str(error), model) from None
    _check_instants(arguments, checked, "")
    return checked


def from_arguments(arguments: JsonObject, checked: Event) -> JsonObject:
    """The event to record: the caller's event fields, with aliases replaced.

    Raises MissingField if a decision gives no reason, InvalidField if a field is sent under both its names.
    """
    if checked.level == "decision" and checked.reason is UNSET:
        raise MissingField("an event of level decision must state its reason", field="reason")
    for other, name in OTHER_NAMES.items():
        if getattr(checked, other) is not UNSET and getattr(checked, name) is not UNSET:
            raise InvalidField(f"{other} is another name for {name}: send one of them", field=other)
    return {OTHER_NAMES.get(name, name): value for name, value in arguments.items() if name in FIELDS}


def _check_instants(given: JsonObject, checked: Struct, path: str) -> None:
    # msgspec accepts more than RFC 3339 (a space for the T, +0000, years out of range in UTC); what is sealed and
    # published as a date-time must be one for every reader.
    for field, name in zip(checked.__struct_fields__, checked.__struct_encode_fields__, strict=True):
        value, text = getattr(checked, field), given.get(name)
        if isinstance(value, datetime):
            try:
                instants.from_text(str(text))
            except ValueError as error:
                raise InvalidField(str(error), field=f"{path}{name}") from None
        elif isinstance(value, list) and isinstance(text, list):
            for position, (inner, outer) in enumerate(zip(value, text, strict=True)):
                if isinstance(inner, Struct) and isinstance(outer, dict):
                    _check_instants(outer, inner, f"{path}{name}[{position}].")


def _wrong_fields(given: JsonObject, model: type[Struct], path: str) -> InvalidRequest | None:
    """The error for an unknown or a missing field in arguments that msgspec refused; None if the fields are right."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(model)}
    for name in given:
        if name not in fields and model.__struct_config__.forbid_unknown_fields:
            message = f"unknown field; known fields: {', '.join(fields)}"
            return UnknownField(message, field=shorten(f"{path}{name}"))
    for name, field in fields.items():
        if field.required and name not in given:
            return MissingField("this field is required", field=f"{path}{name}")
    for name, field in fields.items():
        inner = _unwrap(field.type)
        if isinstance(inner, type) and issubclass(inner, Struct):
            for below, one in _nested_objects(given.get(name), f"{path}{name}"):
                if (found := _wrong_fields(one, inner, f"{below}.")) is not None:
                    return found
    return None


def _nested_objects(value: object, path: str) -> Iterator[tuple[str, JsonObject]]:
    if isinstance(value, dict):
        yield path, value
    elif isinstance(value, list):
        yield from ((f"{path}[{at}]", one) for at, one in enumerate(value) if isinstance(one, dict))


def _wrong_value(message: str, model: type[Struct]) -> InvalidField:
    # msgspec gives the path only as text: "Expected `str`, got `int` - at `$.aow_context.outcome`".
    where = _PATH.search(message)
    path = where.group(1) if where else ""
    what = message[: where.start()] if where else message
    expected = _type_at(path, model)
    if get_origin(expected) is Literal:
        what = f"allowed: {', '.join(map(str, get_args(expected)))}"  # msgspec's message repeats the value
    return InvalidField(what.replace("`", ""), field=path or "body")


def _type_at(path: str, model: type[Struct]) -> object:
    """The type at a dotted path of a model, without Annotated, UNSET and list around it."""
    found: object = model
    for step in re.sub(r"\[[^]]*\]", "", path).split(".") if path else ():
        if not (isinstance(found, type) and issubclass(found, Struct)):
            return None
        names = dict(zip(found.__struct_encode_fields__, found.__struct_fields__, strict=True))
        found = _unwrap(get_type_hints(found).get(names.get(step, "")))
    return found


def _unwrap(found: object) -> object:
    while get_origin(found) in (Annotated, UnionType, Union, list):
        found = get_args(found)[0]
    return found
