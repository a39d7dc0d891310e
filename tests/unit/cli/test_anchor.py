# SPDX-License-Identifier: Apache-2.0
"""`indelible anchor`: starts a round, waits for it, and reports its result and an exit status."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from click.testing import CliRunner, Result

from indelible.cli.main import cli
from indelible.entry import operator
from indelible.errors import NotFound, Unavailable
from indelible.ports import Progress

DONE: dict[str, Any] = {
    "organisations": 3,
    "records": 1204,
    "sealed": 0,
    "repaired": 0,
    "unfinished": 0,
    "broken": {},
    "failed": {},
    "unlisted": 0,
    "ledger": {"tree_size": 9, "leaves": 2, "passes": 1, "refused": 0, "behind_ms": 0, "failed": None},
}
BREAK = {"code": "BROKEN_LINK", "sequence": 7, "detail": "prev_hash is not the hash of record 6"}
EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:trial-anchor:by-hand-1"


class Deployed:
    """A fake workflow that records its input and returns a given summary."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.answer: dict[str, Any] = DONE
        self.trouble: BaseException | None = None
        self.ledgers: list[str] = []

    def start(self, asked: Mapping[str, str]) -> str:
        self.asked.append(dict(asked))
        return EXECUTION

    def wait(self, execution: str, *, told: Callable[[Progress], None]) -> dict[str, Any]:
        assert execution == EXECUTION
        told(Progress(0.5))
        told(Progress(61.0, batches=1200, done=7))
        if self.trouble:
            raise self.trouble
        return self.answer


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Deployed:
    made = Deployed()

    def find(ledger: str) -> Deployed:
        made.ledgers.append(ledger)
        return made

    monkeypatch.setattr(operator, "anchor_workflow", find)
    return made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["anchor", *arguments])


def test_everything_is_anchored_unless_an_organisation_is_named(deployed: Deployed) -> None:
    assert run().exit_code == 0
    assert run("--org", "acme-corp", "--ledger", "trial").exit_code == 0
    assert deployed.asked == [{"run": "sweep"}, {"run": "org", "org_id": "acme-corp"}]
    assert deployed.ledgers == ["indelible", "trial"]


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        ({}, "3 organisations checked: 1,204 records anchored.\n"),
        ({"records": 0}, "3 organisations checked: nothing to anchor.\n"),
        (
            {"organisations": 1, "records": 1, "sealed": 1},
            "1 organisation checked: 1 record anchored, 1 of them sealed from the outbox first.\n",
        ),
    ],
    ids=["some", "nothing", "late"],
)
def test_what_was_done_is_one_line(deployed: Deployed, summary: dict[str, Any], said: str) -> None:
    deployed.answer = {**DONE, **summary}
    done = run()
    assert (done.exit_code, done.stdout, done.stderr) == (0, said, ""), "progress is for people who look"


def test_json_is_the_summary_and_nothing_else(deployed: Deployed) -> None:
    deployed.answer = {**DONE, "broken": {"acme-corp": BREAK}}
    done = run("--json")
    assert (done.exit_code, json.loads(done.stdout)) == (1, deployed.answer)


def test_a_broken_chain_is_told_with_its_place(deployed: Deployed) -> None:
    deployed.answer = {**DONE, "broken": {"acme-corp": BREAK, "globex": {**BREAK, "sequence": None}}}
    done = run()
    assert done.exit_code == 1
    assert "acme-corp: the chain is broken at record 7: BROKEN_LINK, prev_hash is not" in done.stderr
    assert "globex: the chain is broken: BROKEN_LINK" in done.stderr
    assert "docs/operations.md" in done.stderr
    assert "1,204 records anchored" in done.stdout, "the others went on"


def test_a_failed_run_is_told_with_its_code(deployed: Deployed) -> None:
    deployed.answer = {**DONE, "failed": {"globex": "HEAD_REGRESSED"}}
    done = run()
    assert (done.exit_code, done.stderr.startswith("globex: the run failed (HEAD_REGRESSED);")) == (1, True)


def test_a_ledger_s_log_that_did_not_go_on_is_told(deployed: Deployed) -> None:
    deployed.answer = {**DONE, "ledger": {"failed": "EVIDENCE_BROKEN"}}
    done = run()
    assert (done.exit_code, done.stderr.startswith("the ledger's own log was not extended: EVIDENCE")) == (1, True)


def test_those_whom_the_summary_does_not_name_are_counted(deployed: Deployed) -> None:
    deployed.answer = {**DONE, "failed": {"globex": "UNAVAILABLE"}, "unlisted": 2000}
    assert "2,000 more organisations are broken or failed" in run().stderr


@pytest.mark.parametrize(("count", "said"), [(1, "1 organisation had more"), (2000, "2,000 organisations had more")])
def test_what_is_left_for_the_next_round_is_no_failure(deployed: Deployed, count: int, said: str) -> None:
    deployed.answer = {**DONE, "unfinished": count}
    done = run()
    assert (done.exit_code, done.stderr.startswith(said)) == (0, True)


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_an_organisation_that_does_not_exist_is_named(deployed: Deployed, arguments: tuple[str, ...]) -> None:
    deployed.answer = {**DONE, "organisations": 0, "records": 0, "failed": {"acme-crop": "NOT_FOUND"}}
    done = run("--org", "acme-crop", *arguments)
    assert done.exit_code == 1
    assert done.stderr == "Error: there is no organisation 'acme-crop' in the ledger indelible\n"
    assert (json.loads(done.stdout) == deployed.answer) if arguments else (done.stdout == "")


def test_an_empty_name_is_not_everybody(deployed: Deployed) -> None:
    run("--org", "")
    assert deployed.asked == [{"run": "org", "org_id": ""}]


def test_a_round_that_does_not_finish_is_one_line(deployed: Deployed) -> None:
    deployed.trouble = Unavailable("the round did not finish (TIMED_OUT)")
    done = run()
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "Error: the round did not finish (TIMED_OUT)\n")


def test_interrupting_says_that_the_round_goes_on(deployed: Deployed) -> None:
    deployed.trouble = KeyboardInterrupt()
    done = run()
    assert done.exit_code == 130
    assert f"The round goes on: {EXECUTION}" in done.stderr


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (NotFound("no stack trial-anchor"), "Error: no stack trial-anchor\n"),
        (NoCredentialsError(), "credentials"),
        (
            ClientError(
                {"Error": {"Code": "AccessDeniedException", "Message": "ann may not states:StartExecution"}},
                "StartExecution",
            ),
            "AccessDeniedException",
        ),
        (ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "X"), "Rate exceeded"),
    ],
)
def test_a_ledger_that_cannot_be_reached_is_one_line(
    monkeypatch: pytest.MonkeyPatch, trouble: Exception, said: str
) -> None:
    def find(_ledger: str) -> Deployed:
        raise trouble

    monkeypatch.setattr(operator, "anchor_workflow", find)
    done = run()
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert said in done.stderr


def test_wrong_usage_has_a_status_of_its_own() -> None:
    assert run("acme-corp").exit_code == 2


def test_the_machine_is_found_by_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def outputs(_client: object, stack: str) -> dict[str, str]:
        asked.append(stack)
        return {"AnchorStateMachineArn": "the-machine"}

    monkeypatch.setattr(operator, "stack_outputs", outputs)
    monkeypatch.setattr(operator, "client", lambda service: service)
    assert vars(operator.anchor_workflow("trial"))["_arn"] == "the-machine"
    assert asked == ["trial-anchor"]


def test_what_external_anchoring_lacks_is_said_and_is_no_failure_of_the_round(deployed: Deployed) -> None:
    tracks = {"rfc3161-digi": {"failure": None}, "ots-alice": {"failure": "NO_ANSWER"}}
    deployed.answer = {**DONE, "external_anchors": {"failed": None, "tracks": tracks}}
    done = run()
    assert (done.exit_code, done.stderr) == (0, "external anchors, ots-alice: NO_ANSWER. The next round tries again.\n")
    deployed.answer = {**DONE, "external_anchors": {"failed": "Lambda.Unknown"}}
    assert "external anchoring did not run: Lambda.Unknown" in run().stderr
