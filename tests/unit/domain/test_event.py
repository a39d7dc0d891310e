# SPDX-License-Identifier: Apache-2.0
"""What the models refuse beyond what msgspec refuses by itself."""

from __future__ import annotations

import pytest

from indelible.domain import event
from indelible.domain.event import Event
from indelible.entry.models import BatchRequest, RecordRequest, VerifyRequest
from indelible.errors import InvalidField

BASE = {"org_id": "acme-corp", "event_type": "X"}
NOT_RFC_3339 = [
    "2026-03-20 14:22:01Z",
    "2026-03-20T14:22:01+0000",
    "2026-03-20T14:22:01Z\n",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-02-30T00:00:00Z",
]


@pytest.mark.parametrize("text", NOT_RFC_3339)
@pytest.mark.parametrize("field", ["signed_at", "occurred_at"])
def test_an_instant_is_rfc_3339_and_nothing_like_it(text: str, field: str) -> None:
    # A signed_at that only msgspec could read used to end in a 500, an occurred_at was sealed as it was.
    with pytest.raises(InvalidField) as refused:
        event.validate({**BASE, field: text}, RecordRequest)
    assert refused.value.field == field
    assert text not in refused.value.message


@pytest.mark.parametrize("text", NOT_RFC_3339)
@pytest.mark.parametrize("field", ["from", "to"])
def test_so_is_the_end_of_a_range(text: str, field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        event.validate({"org_id": "acme-corp", field: text}, VerifyRequest)
    assert refused.value.field == field


def test_an_instant_within_a_batch_is_named_with_its_place() -> None:
    events = [{"event_type": "X"}, {"event_type": "X", "occurred_at": "2026-03-20 14:22:01Z"}]
    with pytest.raises(InvalidField) as refused:
        event.validate({"org_id": "acme-corp", "events": events}, BatchRequest)
    assert refused.value.field == "events[1].occurred_at"


@pytest.mark.parametrize(
    "text", ["2026-03-20T14:22:01Z", "2026-03-20t14:22:01.123456789z", "2026-03-20T14:22:01+05:30"]
)
def test_every_form_that_rfc_3339_knows_is_taken(text: str) -> None:
    assert event.validate({"event_type": "X", "occurred_at": text}, Event).event_type == "X"


@pytest.mark.parametrize("blank", [" ", "\t\n", "\x1c", "\x1f", "\x85", "\u3000", "\ufeff", "\u2028"])
def test_a_reason_that_python_or_ecmascript_calls_blank_is_none(blank: str) -> None:
    with pytest.raises(InvalidField):
        event.validate({"event_type": "X", "reason": blank}, Event)
