# SPDX-License-Identifier: Apache-2.0
"""Ranges that reach beyond what there is are empty or whole, not wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.entry.test_rest import EVENT, Api, call, signed


@pytest.fixture(autouse=True)
def _powertools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "indelible")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Indelible")


@pytest.mark.parametrize(
    ("asked", "checked"),
    [
        ({"to": "1969-12-31T23:59:59Z"}, 0),  # an end before 1970 was taken for one before a `from` that nobody gave
        ({"from": "0001-01-01T00:00:00Z", "to": "1969-12-31T23:59:59Z"}, 0),
        ({"from": "1969-12-31T23:59:59Z"}, 1),
        ({"to": "9999-12-31T23:59:59Z"}, 1),
        ({"from": "9999-12-31T23:59:59Z"}, 0),
        ({"start_seq": 1.0, "end_seq": 1}, 1),  # JSON Schema calls 1.0 an integer
        ({"start_seq": 2}, 0),
        ({"end_seq": 999_999_999_999}, 1),
    ],
)
def test_a_range_beyond_what_there_is(asked: dict[str, Any], checked: int) -> None:
    api = Api()
    call(api, "POST /v1/record", signed(EVENT))
    status, verdict = call(api, "POST /v1/verify", signed(asked))
    assert (status, verdict.get("valid"), verdict.get("entries_checked")) == (200, True, checked), verdict
