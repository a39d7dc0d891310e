# SPDX-License-Identifier: Apache-2.0
"""`indelible anchor`: starts the deployed function, waits, and says what came of it in words and exit status."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from click.testing import CliRunner, Result

from indelible.aws.anchor_function import AnchorFunction
from indelible.cli.main import cli
from indelible.entry import operator
from indelible.errors import NotFound

DONE: dict[str, Any] = {
    "organisations": 3,
    "records": 1204,
    "sealed": 0,
    "repaired": 0,
    "broken": {},
    "failed": [],
    "not_reached": 0,
    "ledger": {"tree_size": 9, "leaves": 2, "passes": 1, "refused": 0, "behind_ms": 0, "failed": None},
}
BREAK = {"code": "BROKEN_LINK", "sequence": 7, "detail": "prev_hash is not the hash of record 6"}


class Deployed:
    """Stands for boto3's Lambda client: remembers what it was asked, answers what it was told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.answer: Any = DONE
        self.more: dict[str, str] = {}
        self.ledgers: list[str] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        self.asked.append((FunctionName, json.loads(Payload)))
        return {"Payload": io.BytesIO(json.dumps(self.answer).encode()), **self.more}


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Deployed:
    made = Deployed()

    def find(ledger: str) -> AnchorFunction:
        made.ledgers.append(ledger)
        return AnchorFunction(client=made, name="the-anchor")

    monkeypatch.setattr(operator, "anchor_function", find)
    return made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["anchor", *arguments])


def test_everything_is_anchored_unless_an_organisation_is_named(deployed: Deployed) -> None:
    assert run().exit_code == 0
    assert run("--org", "acme-corp", "--ledger", "trial").exit_code == 0
    assert deployed.asked == [("the-anchor", {"run": "sweep"}), ("the-anchor", {"org_id": "acme-corp"})]
    assert deployed.ledgers == ["indelible", "trial"]


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        ({}, "3 organisations looked at: 1,204 records anchored.\n"),
        ({"records": 0}, "3 organisations looked at: nothing to anchor.\n"),
        (
            {"organisations": 1, "records": 1, "sealed": 1},
            "1 organisation looked at: 1 record anchored, 1 of them sealed from the outbox first.\n",
        ),
    ],
    ids=["some", "nothing", "late"],
)
def test_what_was_done_is_one_line(deployed: Deployed, summary: dict[str, Any], said: str) -> None:
    deployed.answer = {**DONE, **summary}
    done = run()
    assert (done.exit_code, done.stdout, done.stderr) == (0, said, "")


def test_json_is_the_summary_and_nothing_else(deployed: Deployed) -> None:
    deployed.answer = {**DONE, "broken": {"acme-corp": [BREAK]}}
    done = run("--json")
    assert (done.exit_code, json.loads(done.stdout)) == (1, deployed.answer)


def test_a_broken_chain_is_told_with_its_place(deployed: Deployed) -> None:
    deployed.answer = {**DONE, "broken": {"acme-corp": [BREAK, {**BREAK, "sequence": None}]}}
    done = run()
    assert done.exit_code == 1
    assert "acme-corp: the chain is broken at record 7: BROKEN_LINK, prev_hash is not" in done.stderr
    assert "acme-corp: the chain is broken: BROKEN_LINK" in done.stderr
    assert "docs/operations.md" in done.stderr
    assert "1,204 records anchored" in done.stdout, "the others went on"


def test_a_failed_run_is_told(deployed: Deployed) -> None:
    deployed.answer = {**DONE, "failed": ["globex"]}
    done = run()
    assert (done.exit_code, done.stderr.startswith("globex: the run failed;")) == (1, True)


def test_a_ledger_s_log_that_did_not_go_on_is_told(deployed: Deployed) -> None:
    deployed.answer = {**DONE, "ledger": {"failed": "EVIDENCE_BROKEN"}}
    done = run()
    assert (done.exit_code, done.stderr.startswith("the ledger's own log did not go on: EVIDENCE_BROKEN.")) == (1, True)


def test_what_was_not_reached_is_no_failure(deployed: Deployed) -> None:
    deployed.answer = {**DONE, "not_reached": 2000}
    done = run()
    assert (done.exit_code, done.stderr.startswith("2,000 organisations were not reached")) == (0, True)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"errorType": "Unavailable", "errorMessage": "S3 could not be reached"}, "Unavailable: S3 could not be"),
        ({"errorMessage": "Task timed out after 900.00 seconds"}, "Task timed out"),
        ({}, "no reason given"),
    ],
)
def test_a_function_that_fails_is_one_line(deployed: Deployed, answer: dict[str, str], reason: str) -> None:
    deployed.answer, deployed.more = answer, {"FunctionError": "Unhandled"}
    done = run()
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert f"the anchor did not finish ({reason}" in done.stderr


@pytest.mark.parametrize(
    ("trouble", "said"),
    [(NotFound("no stack trial-anchor"), "Error: no stack trial-anchor\n"), (NoCredentialsError(), "credentials")],
)
def test_a_ledger_that_cannot_be_reached_is_one_line(
    monkeypatch: pytest.MonkeyPatch, trouble: Exception, said: str
) -> None:
    def find(_ledger: str) -> AnchorFunction:
        raise trouble

    monkeypatch.setattr(operator, "anchor_function", find)
    done = run()
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert said in done.stderr


def test_the_name_comes_from_the_stack_and_the_wait_is_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, Any] = {}
    asked: list[str] = []

    def outputs(_client: object, stack: str) -> dict[str, str]:
        asked.append(stack)
        return {"AnchorFunctionName": "trial-anchor-Function-1"}

    def client(service: str, config: object = None) -> Deployed:
        return made.setdefault(service, (Deployed(), config))[0]

    monkeypatch.setattr(operator, "stack_outputs", outputs)
    monkeypatch.setattr(
        operator, "client", lambda service, config=None: made.setdefault(service, (Deployed(), config))[0]
    )
    operator.anchor_function("trial").run({"run": "sweep"})
    function, config = made["lambda"]
    assert asked == ["trial-anchor"]
    assert function.asked == [("trial-anchor-Function-1", {"run": "sweep"})]
    assert config.read_timeout > 900
    assert config.retries["total_max_attempts"] == 1
