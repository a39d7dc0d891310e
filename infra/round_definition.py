# SPDX-License-Identifier: Apache-2.0
"""A round of the anchor as a state machine: plan, anchor the batches in parallel, plan again, until none is left.

    Plan ─▶ Anyone? ─yes─▶ Anchor (Distributed Map) ─▶ Plan
               └──no──▶ Ledger ─▶ External, where a provider is configured ─▶ Done

Invariant: nothing that goes wrong for one organisation, one batch or one step after them ends the round. A batch whose
function failed is an answer like any other, and Plan gives each of its organisations a function of its own
(entry/planning.py).
A round that ends all the same, or overlaps with the next, leaves nothing to repair: whatever it did is complete for
each organisation by itself, and the next round finds what it left (services/anchor.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

#: An express execution ends after 300 seconds. This is what a batch's function may take; what is left over is for
#: attempts that Lambda did not accept.
FUNCTION_SECONDS = 240
_ROUND_SECONDS = 12 * 3600
_PLAN_SECONDS = 60

#: Lambda did not run the function, or lost its answer. Anchoring twice is harmless.
_NOT_ACCEPTED = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
]

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Step:
    """What comes once in a round, after the organisations; it may fail, and then only its own answer says so."""

    name: str
    #: The name of its answer in the summary.
    answer: str
    function_arn: str
    asked: Json


def definition(*, plan_arn: str, anchor_arn: str, concurrency: int, steps: Sequence[Step]) -> Json:
    """The state machine in the Amazon States Language.

    The batches are made by the planner rather than by an ItemBatcher, which knows one size only: so few organisations
    get a function each, and one that must be alone is.
    """
    batch = {
        "Batch": {
            "Type": "Task",
            "Resource": anchor_arn,
            "TimeoutSeconds": FUNCTION_SECONDS + 5,
            "Retry": [_again(_NOT_ACCEPTED, attempts=4)],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.caught", "Next": "Lost"}],
            "ResultPath": "$.summary",
            "Next": "Answer",
        },
        # What came of it, and not the names again: together the answers must fit the state.
        "Answer": {"Type": "Pass", "Parameters": {"batch.$": "$.batch", "summary.$": "$.summary"}, "End": True},
        "Lost": {"Type": "Pass", "Parameters": {"batch.$": "$.batch", "error.$": "$.caught.Error"}, "End": True},
    }
    states: Json = {
        "Plan": {
            "Type": "Task",
            "Resource": plan_arn,
            "TimeoutSeconds": _PLAN_SECONDS,
            "Retry": [_again(["States.ALL"], attempts=3)],
            "Next": "Anyone?",
        },
        "Anyone?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.batches[0]", "IsPresent": True, "Next": "Anchor"}],
            "Default": steps[0].name if steps else "Done",
        },
        "Anchor": {
            "Type": "Map",
            "Label": "Anchor",
            "ItemsPath": "$.batches",
            "ItemSelector": {"batch.$": "$$.Map.Item.Index", "organisations.$": "$$.Map.Item.Value"},
            "MaxConcurrency": concurrency,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                "StartAt": "Batch",
                "States": batch,
            },
            "ToleratedFailurePercentage": 100,
            "ResultPath": "$.results",
            # Without results, Plan takes every batch for lost.
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.caught", "Next": "Plan"}],
            "Next": "Plan",
        },
        "Done": {"Type": "Pass", "InputPath": "$.totals", "End": True},
    }
    following = [*(step.name for step in steps[1:]), "Done"]
    for step, after in zip(steps, following, strict=True):
        states |= _once(step, after)
    return {"StartAt": "Plan", "TimeoutSeconds": _ROUND_SECONDS, "States": states}


def _once(step: Step, after: str) -> Json:
    lost, answer = f"{step.name}Lost", f"$.totals.{step.answer}"
    return {
        step.name: {
            "Type": "Task",
            "Resource": step.function_arn,
            "Parameters": step.asked,
            "TimeoutSeconds": FUNCTION_SECONDS + 5,
            "Retry": [_again(_NOT_ACCEPTED, attempts=4)],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.caught", "Next": lost}],
            "ResultPath": answer,
            "Next": after,
        },
        lost: {"Type": "Pass", "Parameters": {"failed.$": "$.caught.Error"}, "ResultPath": answer, "Next": after},
    }


def _again(errors: list[str], *, attempts: int) -> Json:
    return {
        "ErrorEquals": errors,
        "IntervalSeconds": 2,
        "BackoffRate": 2,
        "MaxAttempts": attempts,
        "MaxDelaySeconds": 16,
        "JitterStrategy": "FULL",
    }
