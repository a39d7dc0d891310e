# SPDX-License-Identifier: Apache-2.0
"""A round that somebody started by hand is watched patiently, boundedly, and through a few lost answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from indelible.aws.anchor_workflow import AnchorWorkflow
from indelible.errors import Unavailable
from indelible.ports import Progress

ARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:indelible-anchor"
RUNNING = {"status": "RUNNING", "executionArn": "e1"}
DONE = {"status": "SUCCEEDED", "output": '{"records": 7}', "executionArn": "e1"}
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "DescribeExecution")
NOT_YET = ClientError({"Error": {"Code": "ExecutionDoesNotExist", "Message": "e1"}}, "DescribeExecution")
DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, "ListMapRuns")


@dataclass
class Deployed:
    """Stands for boto3's client, and for the time that passes."""

    answers: list[Any]
    counts: Any = None
    started: list[dict[str, str]] = field(default_factory=list)
    told: list[Progress] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    asked_for_counts: int = 0

    def start_execution(self, **asked: str) -> dict[str, str]:
        self.started.append(asked)
        return {"executionArn": "e1"}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 -- boto3's names
        assert executionArn == "e1"
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)

    def list_map_runs(self, *, executionArn: str, maxResults: int, nextToken: str = "") -> dict[str, Any]:  # noqa: N803
        """Two pages, which are in no order."""
        assert (executionArn, maxResults) == ("e1", 1000)
        if isinstance(self.counts, Exception):
            self.asked_for_counts += 1
            raise self.counts
        if not self.counts:
            return {"mapRuns": []}
        if not nextToken:
            return {"mapRuns": [{"mapRunArn": "old", "startDate": 1}], "nextToken": "second"}
        return {"mapRuns": [{"mapRunArn": "new", "startDate": 3}, {"mapRunArn": "middle", "startDate": 2}]}

    def describe_map_run(self, *, mapRunArn: str) -> dict[str, Any]:  # noqa: N803
        assert mapRunArn == "new"
        return {"itemCounts": self.counts}

    def workflow(self) -> AnchorWorkflow:
        client: Any = self
        return AnchorWorkflow(client=client, arn=ARN, sleep=self.slept.append, now=lambda: sum(self.slept))

    def wait(self) -> dict[str, Any]:
        return self.workflow().wait("e1", told=self.told.append)


def test_a_start_is_named_so_that_asking_again_starts_nothing_twice() -> None:
    deployed = Deployed([DONE])
    workflow = deployed.workflow()

    assert [workflow.start({"run": "sweep"}), workflow.start({"run": "org", "org_id": "acme"})] == ["e1", "e1"]

    first, second = deployed.started
    assert (first["stateMachineArn"], json.loads(first["input"])) == (ARN, {"run": "sweep"})
    assert json.loads(second["input"]) == {"run": "org", "org_id": "acme"}
    assert first["name"] != second["name"]
    assert first["name"].startswith("by-hand-")
    assert len(first["name"]) <= 80


def test_it_waits_for_the_summary_and_tells_how_far_it_is() -> None:
    deployed = Deployed([RUNNING, RUNNING, DONE], {"total": 40, "pending": 25, "running": 3})

    assert deployed.wait() == {"records": 7}
    assert [(progress.batches, progress.done) for progress in deployed.told] == [(40, 12)] * 2


def test_it_asks_ever_more_seldom_and_not_for_ever() -> None:
    deployed = Deployed([RUNNING])

    with pytest.raises(Unavailable, match="still runs; its execution is e1"):
        deployed.wait()

    assert (deployed.slept[0], max(deployed.slept)) == (0.5, 5.0)
    assert deployed.slept == sorted(deployed.slept)
    assert 12 * 3600 < sum(deployed.slept) < 13 * 3600


@pytest.mark.parametrize("lost", [THROTTLED, EndpointConnectionError(endpoint_url="https://states")])
def test_a_few_lost_answers_are_asked_for_again(lost: Exception) -> None:
    assert Deployed([RUNNING, lost, lost, RUNNING, DONE]).wait() == {"records": 7}


def test_a_round_that_has_only_just_begun_is_asked_for_again() -> None:
    """DescribeExecution is eventually consistent."""
    assert Deployed([NOT_YET, NOT_YET, RUNNING, DONE]).wait() == {"records": 7}
    with pytest.raises(Unavailable, match="ExecutionDoesNotExist"):
        Deployed([NOT_YET]).wait()


def test_when_none_come_any_more_it_says_so() -> None:
    deployed = Deployed([RUNNING, THROTTLED])

    with pytest.raises(Unavailable, match="ThrottlingException"):
        deployed.wait()

    assert len(deployed.slept) == 10


def test_whoever_may_not_look_is_told_at_once() -> None:
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeExecution")
    with pytest.raises(ClientError):
        Deployed([denied]).wait()


@pytest.mark.parametrize(("trouble", "asked"), [(DENIED, 1), (THROTTLED, 3)])
def test_counts_are_nice_to_have(trouble: Exception, asked: int) -> None:
    deployed = Deployed([RUNNING, RUNNING, RUNNING, DONE], trouble)

    assert deployed.wait() == {"records": 7}
    assert [(progress.batches, progress.done) for progress in deployed.told] == [(0, 0)] * 3
    assert deployed.asked_for_counts == asked, "who is not allowed to is not asked again"


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (
            {"status": "FAILED", "error": "Unavailable", "cause": '{"errorMessage": "DynamoDB could not be reached"}'},
            r"\(Unavailable: DynamoDB could not be reached\)",
        ),
        ({"status": "FAILED", "error": "States.Runtime", "cause": "of a kind\nat"}, r"\(States.Runtime: of a kind\)"),
        ({"status": "TIMED_OUT"}, r"\(TIMED_OUT\)"),
        ({"status": "ABORTED", "cause": "by ann"}, r"\(by ann\)"),
    ],
)
def test_a_round_without_a_summary_says_why_and_where_to_look(ended: dict[str, str], said: str) -> None:
    with pytest.raises(Unavailable, match=f"the round did not finish {said}; its execution is e1"):
        Deployed([RUNNING, {**ended, "executionArn": "e1"}]).wait()
