# SPDX-License-Identifier: Apache-2.0
"""Sanitizing leaves no value under a secret's name and no credential's shape, and says where it was."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import example, given

from indelible.domain import canonical
from indelible.domain.canonical import JsonObject
from indelible.domain.sanitize import REDACTED, names_a_secret, sanitize
from tests.properties.strategies import CREDENTIALS, leaky_values


def resolve(document: Any, pointer: str) -> Any:
    """RFC 6901 §4."""
    for token in pointer.split("/")[1:]:
        step = token.replace("~1", "/").replace("~0", "~")
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def leaks(value: Any, *, secret: bool = False) -> list[Any]:
    if isinstance(value, dict):
        return [leak for key, child in value.items() for leak in leaks(child, secret=names_a_secret(key))]
    if isinstance(value, list):
        return [leak for child in value for leak in leaks(child)]
    return [value] if secret and value not in (None, True, False, REDACTED) else []


@given(leaky_values())
def test_nothing_is_left_under_a_secret_key(value: Any) -> None:
    assert leaks(sanitize({"payload": {"value": value}})) == []


@given(leaky_values())
def test_every_pointer_resolves_to_something_redacted_and_all_else_is_as_it_was(value: Any) -> None:
    sent: JsonObject = {"payload": {"value": value}}

    clean = sanitize(sent)

    pointers = clean.pop("sanitized_paths", [])
    assert isinstance(pointers, list)
    assert pointers == sorted(set(map(str, pointers)))
    for pointer in map(str, pointers):
        found = resolve(clean, pointer)
        assert isinstance(found, str)
        assert REDACTED in found
    assert differing(sent, clean) <= set(map(str, pointers))


def differing(before: Any, after: Any, at: str = "") -> set[str]:
    """JSON Pointers of the topmost values that changed."""
    if isinstance(before, dict) and isinstance(after, dict):
        assert before.keys() == after.keys()
        steps = [(key.replace("~", "~0").replace("/", "~1"), before[key], after[key]) for key in before]
    elif isinstance(before, list) and isinstance(after, list):
        assert len(before) == len(after)
        steps = [(str(index), *pair) for index, pair in enumerate(zip(before, after, strict=True))]
    else:
        return set() if before == after else {at}
    return {pointer for step, b, a in steps for pointer in differing(b, a, f"{at}/{step}")}


@given(leaky_values())
@example(CREDENTIALS[9] + CREDENTIALS[3])
@example(CREDENTIALS[0] + "-" + CREDENTIALS[3])
def test_once_is_enough(value: Any) -> None:
    once = sanitize({"payload": {"value": value}})
    once.pop("sanitized_paths", None)

    twice = sanitize(once)
    twice.pop("sanitized_paths", None)

    assert twice == once


@given(leaky_values())
def test_the_caller_s_own_event_is_left_alone(value: Any) -> None:
    sent: JsonObject = {"payload": {"value": value}}
    before = canonical.canonical_bytes(sent)

    sanitize(sent)

    assert canonical.canonical_bytes(sent) == before


@pytest.mark.parametrize("credential", CREDENTIALS, ids=lambda credential: credential[:12])
@pytest.mark.parametrize("around", ["{}", "because {} was there", "a={},b={}", '["{}"]', "({})", "{}\n{}"])
def test_the_secret_goes_and_the_reason_around_it_stays(credential: str, around: str) -> None:
    clean = sanitize({"reason": around.replace("{}", credential)})

    assert clean["sanitized_paths"] == ["/reason"]
    said = str(clean["reason"])
    secret = credential.rpartition("://")[2].rpartition("@")[0] or credential
    assert secret not in said
    assert "pass-w0rd" not in said
    assert around.partition("{}")[0] in said


@pytest.mark.parametrize(
    "unit",
    [
        "eyJ-",
        "eyJaaaaaaaa.",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----",
        "bearer ",
        "basic\t",
        "a://",
        "://a:",
        "a:b@",
        "sk-",
        "AKIA",
        "AIza",
        "xoxb-",
        "pin_1",
        "aB",
        "_",
        "bearer" + " " * 20,
        "ghp_",
        "pypi-AgE",
    ],
)
def test_a_record_s_worth_of_anything_is_scanned_at_once(unit: str) -> None:
    hostile = (unit * (262_144 // len(unit)))[:262_144]
    began = time.process_time()

    sanitize({"payload": {"text": hostile, hostile: "x"}})

    assert time.process_time() - began < 2, "scanning is not linear in the length of the text"
