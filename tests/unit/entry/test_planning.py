# SPDX-License-Identifier: Apache-2.0
"""The planner's handler, asked once; whole rounds are played in tests/infra/test_anchor_workflow.py."""

from __future__ import annotations

from typing import Any

import pytest

from indelible.domain.organisation import OrgConfig
from indelible.entry import planning
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.errors import InvalidRequest, Unavailable
from indelible.services.planner import Planner
from tests.fakes.machine import ManualClock
from tests.fakes.table import FakeNews, FakeOrganisations, FakeRoundStarts
from tests.unit.entry.mcp_world import Context

NAMES = ["acme-corp", "globex", "initech"]
TOTALS = {"organisations": 4, "failed": {"hooli": "UNAVAILABLE"}}


@pytest.fixture(autouse=True)
def namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Indelible")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "indelible")


def plan(event: dict[str, Any]) -> dict[str, Any]:
    clock = ManualClock()
    organisations = FakeOrganisations({name: OrgConfig(name, "2026-03-20T00:00:00.000Z", ()) for name in NAMES})
    planner = Planner(news=FakeNews(), organisations=organisations, clock=clock, concurrency=2)
    return planning.plan(
        event,
        Context(),
        planner=lambda: planner,
        starts=FakeRoundStarts,
        clock=clock,
        telemetry=PowertoolsTelemetry(),
    )


def test_a_round_begins_with_batches_and_an_empty_sum() -> None:
    answer = plan({"run": "sweep"})

    assert (answer["run"], answer["after"]) == ("sweep", None)
    assert answer["batches"] == [["acme-corp", "globex"], ["initech"]]
    assert (answer["totals"]["organisations"], answer["totals"]["failed"]) == (0, {})


def test_asking_twice_gives_the_same() -> None:
    assert plan({"run": "sweep"}) == plan({"run": "sweep"})


def test_what_was_done_is_added_and_nobody_is_left() -> None:
    summary = {"organisations": 2, "records": 7, "failed": {}, "broken": {}, "not_reached": []}
    results = [{"batch": 0, "summary": summary}, None]

    answer = plan(
        {"run": "sweep", "after": None, "batches": [NAMES[:2], NAMES[2:]], "totals": TOTALS, "results": results}
    )

    assert answer["batches"] == []
    assert (answer["totals"]["organisations"], answer["totals"]["records"]) == (6, 7)
    assert answer["totals"]["failed"] == {"hooli": "UNAVAILABLE", "initech": "NO_ANSWER"}


def test_whoever_must_be_tried_again_comes_before_the_next_page() -> None:
    answer = plan({"run": "sweep", "after": "acme-corp", "batches": [["hooli", "umbrella"]], "totals": TOTALS})

    assert (answer["batches"], answer["after"]) == ([["hooli"], ["umbrella"]], "acme-corp")

    answer = plan({**answer, "results": [{"batch": 0, "summary": {}}, {"batch": 1, "summary": {}}]})

    assert (answer["batches"], answer["after"]) == ([["globex"], ["initech"]], None)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"run": "everything"},
        {"run": "sweep", "after": 7},
        {"run": "org", "org_id": ["acme-corp"]},
        {"run": "sweep", "batches": "acme-corp", "totals": {}},
        {"run": "sweep", "batches": [["acme-corp"]], "totals": {}, "results": [{"summary": {}}]},
    ],
    ids=str,
)
def test_what_it_does_not_know_it_refuses(event: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        plan(event)


def test_an_outage_is_the_rounds_and_step_functions_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise Unavailable("DynamoDB could not be reached")

    monkeypatch.setattr(FakeOrganisations, "page", fails)
    with pytest.raises(Unavailable):
        plan({"run": "sweep"})
