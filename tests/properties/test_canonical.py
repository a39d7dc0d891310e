# SPDX-License-Identifier: Apache-2.0
"""One value, one serialization: what `parse` lets through comes back from its canonical bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from indelible.domain import canonical
from indelible.errors import InvalidNumber, InvalidRequest
from tests.properties.strategies import json_objects


@given(json_objects)
def test_what_is_canonical_parses_to_itself(value: dict[str, Any]) -> None:
    data = canonical.canonical_bytes(value)

    again = canonical.parse(data)

    assert again == value
    assert canonical.canonical_bytes(again) == data


@given(json_objects, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_how_it_was_written_does_not_matter(value: dict[str, Any], escaped: bool, indent: Any) -> None:
    sent = json.dumps(value, ensure_ascii=escaped, indent=indent).encode()

    assert canonical.canonical_bytes(canonical.parse(sent)) == canonical.canonical_bytes(value)


@given(st.integers() | st.floats(), st.lists(st.booleans(), max_size=5))
@example(2**53, [])
@example(-(2**53), [True])
@example(float("nan"), [])
@example(1e16, [False])
def test_a_number_survives_or_is_refused_by_name(number: float, path: list[bool]) -> None:
    value: Any = number
    for in_list in path:
        value = [value] if in_list else {"k": value}
    sent = json.dumps({"top": value}).encode()
    safe = abs(number) <= 2**53 - 1  # False for NaN

    if safe:
        assert canonical.parse(sent) == {"top": value}
    else:
        with pytest.raises(InvalidNumber) as refused:
            canonical.parse(sent)
        assert str(refused.value.field).startswith("top")


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b'{"a":"\\ud800"}')
@example(b'{"\\udfff":1}')
@example(b"\xef\xbb\xbf{}")
@example(b'{"a":' * 2000)
@example(b'{"a":1,"a":{"b":2,"b":3}}')
def test_any_bytes_are_taken_or_refused_and_nothing_else(sent: bytes) -> None:
    refusal = None
    try:
        value = canonical.parse(sent)
    except InvalidRequest as error:
        refusal = error.as_dict()
    if refusal is None:
        canonical.canonical_bytes(value)
    else:
        assert refusal["field"]
        assert refusal["retryable"] is False
        json.dumps(refusal, ensure_ascii=False).encode()  # raises where a surrogate slipped into the message
