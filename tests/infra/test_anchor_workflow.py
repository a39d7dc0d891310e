# SPDX-License-Identifier: Apache-2.0
"""The state machine, played with the real handlers of its functions: nobody's trouble is anybody else's."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from indelible.errors import Unavailable
from indelible.services.planner import PAGE_SIZE
from infra.round_definition import FUNCTION_SECONDS, Step, definition
from tests.fakes.table import FakeRoundStarts
from tests.infra.played_rounds import DEFINITION, LOGGED, Ledger, organisations
from tests.infra.states import MOST_BYTES, Json, Machine, StatesError
from tests.infra.synth import Synthesized


def test_a_quiet_round_is_one_question() -> None:
    ledger = Ledger(organisations(3))

    assert ledger.play(run="news")["organisations"] == 0
    assert ledger.machine.visited == ["Plan", "Anyone?", "Ledger", "More", "Done"]
    assert ledger.telemetry.counts == {"AnchorFailures": 0}, "a zero, not a gap"


def test_everybody_is_anchored_once_in_pages_of_batches() -> None:
    names = organisations(2 * PAGE_SIZE + 5)
    ledger = Ledger(names)

    summary = ledger.play(run="sweep")

    assert ledger.anchored == Counter(names)
    assert summary == {
        "organisations": len(names),
        "records": len(names),
        "sealed": 0,
        "repaired": 0,
        "unfinished": 0,
        "broken": {},
        "failed": {},
        "unlisted": 0,
        "ledger": LOGGED,
        "more": {},
    }
    seen = Counter(ledger.machine.visited)
    assert (seen["Plan"], seen["Anchor"]) == (4, 3)
    assert seen["Batch"] == 2 * PAGE_SIZE // 10 + 5


def test_news_are_anchored_and_nobody_else() -> None:
    ledger = Ledger(organisations(5))
    for name in ledger.names[1:3]:
        ledger.news.mark(name, ledger.clock.now)

    assert ledger.play(run="news")["organisations"] == 2
    assert set(ledger.anchored) == set(ledger.names[1:3])


def test_one_organisation_by_name() -> None:
    ledger = Ledger(organisations(5))

    assert ledger.play(run="org", org_id=ledger.names[3])["records"] == 1
    assert set(ledger.anchored) == {ledger.names[3]}


def test_a_name_that_does_not_exist_is_an_answer_and_no_alarm() -> None:
    ledger = Ledger(organisations(2))

    summary = ledger.play(run="org", org_id="initech")

    assert (summary["failed"], summary["organisations"]) == ({"initech": "NOT_FOUND"}, 0)
    assert ledger.telemetry.counts == {"AnchorFailures": 0}


def test_a_broken_chain_and_a_failed_run_are_named_and_the_others_are_anchored() -> None:
    names = organisations(30)
    ledger = Ledger(names, broken={names[7]}, failing={names[8]}, concurrency=2)

    summary = ledger.play(run="sweep")

    assert summary["failed"] == {names[8]: "UNAVAILABLE"}
    assert {name: (found["code"], found["sequence"]) for name, found in summary["broken"].items()} == {
        names[7]: ("CHECKPOINT_MISMATCH", 999_999_999_999)
    }
    assert summary["records"] == 28
    assert ledger.telemetry.counts["AnchorFailures"] == 1
    assert ledger.telemetry.counts["BrokenChain"] == 1


@pytest.mark.parametrize("how", ["deadly", "silent"])
def test_one_that_ends_the_function_takes_nobody_with_it(how: str) -> None:
    names = organisations(25)
    ledger = Ledger(names, concurrency=2, **{how: {names[0], names[13]}})

    summary = ledger.play(run="sweep")

    code = {"deadly": "Runtime.OutOfMemory", "silent": "NO_ANSWER"}[how]
    assert summary["failed"] == {names[0]: code, names[13]: code}
    assert set(ledger.anchored) == set(names) - {names[0], names[13]}
    assert summary["organisations"] == sum(ledger.anchored.values()) - 3, "those before it in its batch, twice"
    assert ledger.telemetry.counts["AnchorFailures"] == 2


def test_who_was_not_reached_for_lack_of_time_is_reached_alone() -> None:
    names = organisations(25)
    ledger = Ledger(names, concurrency=2, slow={names[0], names[1], names[5]})

    summary = ledger.play(run="sweep")

    assert ledger.anchored == Counter(names)
    assert (summary["organisations"], summary["failed"]) == (25, {})


@pytest.mark.parametrize("deadly", [False, True])
@pytest.mark.parametrize("concurrency", [1, 20, 500])
def test_whatever_goes_wrong_for_however_many_the_state_is_never_too_large(concurrency: int, deadly: bool) -> None:
    names = [name[:63] for name in organisations(3 * PAGE_SIZE)]
    trouble = {"deadly": set(names)} if deadly else {"broken": set(names)}
    ledger = Ledger(names, concurrency=concurrency, **trouble)

    summary = ledger.play(run="sweep")

    assert max(ledger.machine.bytes) < MOST_BYTES * 0.9
    found = summary["failed" if deadly else "broken"]
    assert (len(found), summary["unlisted"]) == (100, len(names) - 100)
    assert "States.DataLimitExceeded" not in json.dumps(summary)


def test_a_step_that_fails_fails_alone() -> None:
    ledger = Ledger(organisations(2), log_deadly=True)

    summary = ledger.play(run="sweep")

    assert (summary["records"], summary["ledger"], summary["more"]) == (2, {"failed": "Sandbox.Timedout"}, {})


def test_only_the_rounds_at_the_rate_say_when_they_begin() -> None:
    ledger = Ledger(organisations(2))
    ledger.play(run="sweep")
    ledger.play(run="org", org_id=ledger.names[0])
    assert ledger.starts.last() is None
    ledger.play(run="news")
    assert ledger.starts.last() == ledger.clock.now


def test_a_round_that_cannot_say_when_it_began_goes_on() -> None:
    class Deaf(FakeRoundStarts):
        def begin(self, now_ms: int) -> None:
            raise Unavailable("no answer")

    ledger = Ledger(organisations(2), starts=Deaf())
    ledger.news.mark(ledger.names[0], ledger.clock.now)

    assert ledger.play(run="news")["records"] == 1


def test_a_plan_that_fails_ends_the_round_for_all_to_see() -> None:
    def fails(_event: Json) -> Json:
        raise StatesError("Unavailable")

    with pytest.raises(StatesError):
        Machine(DEFINITION, {"plan": fails}).run({"run": "news"})


def test_a_child_ends_before_an_express_execution_must() -> None:
    batch = DEFINITION["States"]["Anchor"]["ItemProcessor"]["States"]["Batch"]
    (retry,) = batch["Retry"]
    pauses = [min(2 * 2**n, retry["MaxDelaySeconds"]) for n in range(retry["MaxAttempts"])]
    assert batch["TimeoutSeconds"] > FUNCTION_SECONDS
    assert batch["TimeoutSeconds"] + sum(pauses) < 300
    assert "States.ALL" not in retry["ErrorEquals"], "what the function did not survive is not repeated at once"


def test_the_machine_is_deployed_with_its_own_name_and_functions(prod: Synthesized, dev: Synthesized) -> None:
    for synthesized, concurrency in ((prod, 20), (dev, 3)):
        machine = synthesized.render(synthesized.one("AWS::StepFunctions::StateMachine")["Properties"])
        assert machine["StateMachineName"] == f"{synthesized.name}-anchor"
        assert machine["StateMachineType"] == "STANDARD"
        assert machine["RoleArn"] == "<WorkflowRole.Arn>"
        assert machine["Definition"] == definition(
            plan_arn="<PlanFunction.Arn>",
            anchor_arn="<AnchorFunction.Arn>",
            concurrency=concurrency,
            steps=[Step(name="Ledger", answer="ledger", function_arn="<AnchorFunction.Arn>", asked={"log": "ledger"})],
        )


def test_errors_are_logged(prod: Synthesized) -> None:
    logging = prod.render(prod.one("AWS::StepFunctions::StateMachine")["Properties"]["LoggingConfiguration"])
    assert logging == {
        "Level": "ERROR",
        "IncludeExecutionData": True,
        "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": "<WorkflowLogs.Arn>"}}],
    }


def test_only_this_machine_and_its_children_can_use_the_role(prod: Synthesized) -> None:
    (statement,) = prod.render(
        prod.one("AWS::IAM::Role", "WorkflowRole")["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    )
    machine = "arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:stateMachine:indelible-anchor"
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "<AWS::AccountId>"},
        "ArnLike": {"aws:SourceArn": [machine, f"{machine}/*"]},
    }


def test_the_planner_knows_how_many_batches_run_at_once(dev: Synthesized) -> None:
    variables = dev.one("AWS::Lambda::Function", "PlanFunction")["Properties"]["Environment"]["Variables"]
    assert variables["INDELIBLE_ANCHOR_CONCURRENCY"] == "3"
