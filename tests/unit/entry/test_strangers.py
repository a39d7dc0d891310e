# SPDX-License-Identifier: Apache-2.0
"""What is dear is done for those who have proven who they are."""

from __future__ import annotations

from typing import Any

import pytest

from indelible.entry import recording
from tests.unit.entry.test_rest import EVENT, ORG, Api, call, signed


@pytest.fixture(autouse=True)
def _powertools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "indelible")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Indelible")


@pytest.mark.parametrize(
    ("route", "arguments"),
    [("POST /v1/record", EVENT), ("POST /v1/record/batch", {"events": [EVENT, EVENT]})],
)
def test_nothing_is_sanitized_for_a_stranger(
    monkeypatch: pytest.MonkeyPatch, route: str, arguments: dict[str, Any]
) -> None:
    seen: list[object] = []

    def counted(sent: Any) -> Any:
        seen.append(sent)
        return sent

    monkeypatch.setattr(recording, "sanitize", counted)
    api = Api()
    stranger = {"org_id": ORG, **arguments, "signature": "0" * 64}
    assert call(api, route, stranger)[0] == 401
    assert seen == []
    assert call(api, route, signed(arguments))[0] == 200
    assert seen == arguments.get("events", [EVENT])
