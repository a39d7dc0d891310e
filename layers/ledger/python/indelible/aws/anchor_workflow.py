# SPDX-License-Identifier: Apache-2.0
"""The deployed workflow of the anchor's rounds, as somebody starts one who does not wait for the schedule.

Invariant: it is asked ever more seldom whether the round has ended, never more often than twice a second, and for no
longer than a round may take. An answer that does not come is asked for again a few times.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from indelible.aws.error_map import code_of, translated
from indelible.errors import Unavailable
from indelible.ports import Progress

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 5.0
#: The state machine ends a round after twelve hours.
_LONGEST_WAIT = 12.5 * 3600
_MOST_MISSES = 10


class AnchorWorkflow:
    """Starts a round and waits for its end."""

    def __init__(
        self,
        *,
        client: SFNClient,
        arn: str,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._arn = arn
        self._sleep = sleep
        self._now = now
        self._counts = True

    def start(self, asked: Mapping[str, str]) -> str:
        """Begin a round; the execution's ARN. IAM: states:StartExecution.

        The execution is named here, so that a start whose answer was lost is not done twice. What goes wrong keeps
        the SDK's own words, as in `stack_outputs`.
        """
        name = f"by-hand-{uuid.uuid4()}"
        answer = self._client.start_execution(stateMachineArn=self._arn, name=name, input=json.dumps(asked))
        return answer["executionArn"]

    def wait(self, execution: str, *, told: Callable[[Progress], None]) -> dict[str, Any]:
        """Look again and again, tell how far it is, and return the round's summary. IAM: states:DescribeExecution;
        for counts also states:ListMapRuns and states:DescribeMapRun.

        Raises Unavailable when the round ended without a summary, or did not end.
        """
        begun, pause, misses = self._now(), _FIRST_PAUSE, 0
        while (waited := self._now() - begun) < _LONGEST_WAIT:
            try:
                with translated("Step Functions"):
                    found = self._client.describe_execution(executionArn=execution)
                misses = 0
            except Unavailable:
                misses += 1
                if misses == _MOST_MISSES:
                    raise
            else:
                if found["status"] == "SUCCEEDED":
                    summary: dict[str, Any] = json.loads(found["output"])
                    return summary
                if found["status"] != "RUNNING":
                    raise Unavailable(_ended(found))
                batches, done = self._batches(execution)
                told(Progress(waited, batches=batches, done=done))
            self._sleep(pause)
            pause = min(pause * 1.25, _LONGEST_PAUSE)
        raise Unavailable(f"the round still runs; its execution is {execution}")

    def _batches(self, execution: str) -> tuple[int, int]:
        """Batches of the page under way, and how many of them are done. Nice to have: whoever may not look goes on."""
        if not self._counts:
            return 0, 0
        try:
            runs = self._client.list_map_runs(executionArn=execution)["mapRuns"]
            if not runs:
                return 0, 0
            newest = max(runs, key=lambda run: run["startDate"])
            counts = self._client.describe_map_run(mapRunArn=newest["mapRunArn"])["itemCounts"]
        except (BotoCoreError, ClientError) as error:
            self._counts = not (isinstance(error, ClientError) and code_of(error).startswith("AccessDenied"))
            return 0, 0
        return counts["total"], counts["total"] - counts["pending"] - counts["running"]


def _ended(found: Mapping[str, Any]) -> str:
    cause = found.get("cause", "")
    try:  # a function's error comes as JSON
        cause = json.loads(cause)["errorMessage"]
    except (ValueError, KeyError, TypeError):
        cause = str(cause).partition("\n")[0][:200]
    reason = ": ".join(part for part in (found.get("error", ""), cause) if part) or found["status"]
    return f"the round did not finish ({reason}); its execution is {found['executionArn']}"
