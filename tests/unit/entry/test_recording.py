# SPDX-License-Identifier: Apache-2.0
"""An event that is too large is refused by the name that its caller knows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.entry.test_rest import EVENT, Api, call, signed

LARGE = {"text": "x" * 300 * 1024}


@pytest.fixture(autouse=True)
def _powertools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "indelible")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Indelible")


@pytest.mark.parametrize(
    ("route", "arguments", "field"),
    [
        ("POST /v1/record", {**EVENT, "payload": LARGE}, "payload"),
        ("POST /v1/record", {"event_type": "A", "detail": LARGE, "idempotency_key": "k"}, "detail"),
        ("POST /v1/record/batch", {"events": [{**EVENT, "payload": LARGE}]}, "events[0]"),
        ("POST /v1/record/batch", {"events": [EVENT, {**EVENT, "payload": LARGE}]}, "events[1]"),
    ],
)
def test_too_large_an_event_is_named(route: str, arguments: dict[str, Any], field: str) -> None:
    api = Api()
    status, answer = call(api, route, signed(arguments))
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (413, "TOO_LARGE", field)
    assert api.world.journal.head("acme-corp").sequence == 0
