# SPDX-License-Identifier: Apache-2.0
"""What the ledger does by itself within a minute or so. Comes last: the minute is over by then."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from local.env import Outputs
from tests.e2e.helpers import schedule
from tests.e2e.helpers.admin import Admin, eventually
from tests.e2e.helpers.begun import key_disabled_in_use
from tests.e2e.helpers.tenant import EVENT, events, fresh


@pytest.fixture(scope="module", autouse=True)
def _as_deployed(ledger: Outputs) -> Iterator[None]:
    with schedule.running(ledger):
        yield


def test_the_schedule_anchors_without_being_asked(ledger: Outputs) -> None:
    org, admin = fresh(ledger, "scheduled"), Admin.of(ledger)
    receipts = org.record_batch(events(3))
    log = eventually(lambda: admin.item(org.org_id, "LOG"), seconds=90, every=1)
    assert log is not None, "no scheduled run in a minute and a half"
    assert (log["tree_size"]["N"], log["tail_hash"]["S"]) == ("3", receipts[-1]["tx_hash"])
    assert eventually(lambda: not admin.waiting(org.org_id, 3), seconds=10)


def test_the_schedules_say_what_the_planner_understands(ledger: Outputs) -> None:
    scheduler = Admin.of(ledger).client("scheduler")
    group = f"{ledger.ledger_name}-anchor"
    found = {name: scheduler.get_schedule(GroupName=group, Name=name) for name in ("news", "sweep")}
    assert {name: schedule["Target"]["Input"] for name, schedule in found.items()} == {
        "news": '{"run": "news"}',
        "sweep": '{"run": "sweep"}',
    }
    assert {schedule["State"] for schedule in found.values()} == {"ENABLED"}
    assert {schedule["Target"]["Arn"].rsplit(":", 1)[1] for schedule in found.values()} == {group}


def test_rounds_that_the_schedule_starts_come_to_their_end(ledger: Outputs) -> None:
    states = Admin.of(ledger).client("stepfunctions")
    (machine,) = (
        one["stateMachineArn"]
        for one in states.list_state_machines()["stateMachines"]
        if one["name"] == f"{ledger.ledger_name}-anchor"
    )
    executions = states.list_executions(stateMachineArn=machine)["executions"]
    assert {one["status"] for one in executions} <= {"SUCCEEDED", "RUNNING"}
    assert any(one["status"] == "SUCCEEDED" for one in executions)


def test_a_disabled_key_stops_working_within_a_minute(ledger: Outputs) -> None:
    org, disabled_at = key_disabled_in_use(ledger)
    time.sleep(max(0.0, disabled_at + 60 - time.monotonic()))
    for path, body in (("/v1/record", EVENT), ("/v1/verify", {}), ("/v1/prove", {"audit_id": "x"})):
        answer = org.post(path, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
