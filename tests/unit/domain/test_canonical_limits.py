# SPDX-License-Identifier: Apache-2.0
"""Hostile bodies cost what their bytes cost, and get an answer that is not as long as they are."""

from __future__ import annotations

import tracemalloc

import pytest

from indelible.domain import canonical, event
from indelible.entry.models import RecordRequest
from indelible.errors import LedgerError, UnknownField

LONG = "k" * 500_000


@pytest.mark.parametrize("leaf", [0, 1.5, "a", None, True, [], {}], ids=repr)
def test_leaves_are_checked_where_they_stand(leaf: object) -> None:
    # One stack entry for each leaf took 150 bytes for two characters of a body: 600 MB and 4 s for five megabytes.
    wide = {"a": [leaf] * 100_000}
    tracemalloc.start()
    try:
        canonical.check(wide)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 20_000


def test_every_leaf_is_visited_once_and_numbers_in_lists_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    visits = 0
    visit = canonical._visit

    def counted(*given: object) -> None:
        nonlocal visits
        visits += 1
        visit(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(canonical, "_visit", counted)
    canonical.check({"a": [0] * 1000, "b": ["x"] * 1000, "c": [[1, [2, [3]]]] * 10})
    assert visits == 4 + 1000 + 10 * 3


@pytest.mark.parametrize(
    "body",
    [
        f'{{"{LONG}": 1e400}}',
        f'{{"{LONG}": {{"{LONG}": {{"{LONG}": NaN}}}}}}',
        f'{{"{LONG}": 1, "{LONG}": 2}}',
        f'{{"a": {{"{LONG}": "\\ud800"}}}}',
        f'{{"{LONG}": ' + "[" * 40 + "]" * 40 + "}",
    ],
)
def test_a_refusal_is_not_as_long_as_the_body(body: str) -> None:
    with pytest.raises(LedgerError) as refused:
        canonical.parse(body.encode())
    assert refused.value.field is not None
    assert len(refused.value.field) <= canonical.MAX_FIELD
    assert len(refused.value.message) < 200


def test_nor_is_that_of_a_field_which_nobody_knows() -> None:
    with pytest.raises(UnknownField) as refused:
        event.validate({"org_id": "acme-corp", "event_type": "X", LONG: 1}, RecordRequest)
    assert refused.value.field == "k" * (canonical.MAX_FIELD - 1) + "…"


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.0", 1), ("-0.0", 0), ("1e3", 1000), ("9007199254740991.0", 2**53 - 1), ("1.5", 1.5), ("5e-324", 5e-324)],
)
def test_a_number_without_a_fraction_is_an_integer_however_it_is_written(text: str, value: float) -> None:
    # JSON Schema calls 1.0 an integer, and RFC 8785 writes it as 1.
    parsed = canonical.parse(f'{{"n": {text}}}'.encode())["n"]
    assert (parsed, type(parsed)) == (value, type(value))
