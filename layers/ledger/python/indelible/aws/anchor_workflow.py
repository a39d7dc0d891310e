# SPDX-License-Identifier: Apache-2.0
"""The deployed Step Functions workflow of the anchor: an operator starts a round without waiting for the schedule.

Invariant: polling slows down from twice a second to every five seconds, and ends when a round must have ended. A few
lost answers in a row are tolerated.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from indelible.aws.error_map import code_of, translated
from indelible.errors import Unavailable
from indelible.ports import Progress

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import MapRunListItemTypeDef

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 5.0
_LONGEST_WAIT = 12.5 * 3600
"""Seconds. The state machine ends a round after twelve hours."""
_MOST_MISSES = 10
_MAP_RUNS_PER_PAGE = 1000
"""As many as ListMapRuns allows."""


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
        """Start a round with this input, and return the execution's ARN. IAM: states:StartExecution.

        The execution is named here: a request that the SDK repeats starts nothing twice. Errors of the SDK are not
        translated, as in `stack_outputs`.
        """
        name = f"by-hand-{uuid.uuid4()}"
        answer = self._client.start_execution(stateMachineArn=self._arn, name=name, input=json.dumps(asked))
        return answer["executionArn"]

    def wait(self, execution: str, *, told: Callable[[Progress], None]) -> dict[str, Any]:
        """Poll until the round has ended, report its progress to `told`, and return its summary.

        IAM: states:DescribeExecution; for the progress also states:ListMapRuns and states:DescribeMapRun.

        Raises Unavailable when the round ended without a summary, or did not end.
        """
        begun, pause, misses = self._now(), _FIRST_PAUSE, 0
        while (waited := self._now() - begun) < _LONGEST_WAIT:
            try:
                found = self._describe(execution)
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

    @translated("Step Functions")
    def _describe(self, execution: str) -> Mapping[str, Any]:
        try:
            return self._client.describe_execution(executionArn=execution)
        except ClientError as error:
            if code_of(error) != "ExecutionDoesNotExist":
                raise
            # Eventually consistent: an execution that was started a moment ago may not be visible yet.
            raise Unavailable(f"Step Functions does not show the execution: {code_of(error)}") from error

    def _batches(self, execution: str) -> tuple[int, int]:
        """Batches of the page under way, and how many of them are done; (0, 0) where that is not known.

        The counts are optional: a caller without the permission for them waits without.
        """
        if not self._counts:
            return 0, 0
        try:
            newest = max(self._map_runs(execution), key=lambda run: run["startDate"], default=None)
            if newest is None:
                return 0, 0
            counts = self._client.describe_map_run(mapRunArn=newest["mapRunArn"])["itemCounts"]
        except (BotoCoreError, ClientError) as error:
            self._counts = not (isinstance(error, ClientError) and code_of(error).startswith("AccessDenied"))
            return 0, 0
        return counts["total"], counts["total"] - counts["pending"] - counts["running"]

    def _map_runs(self, execution: str) -> Iterator[MapRunListItemTypeDef]:
        """One for each page of organisations, in no documented order: the newest may be on any page."""
        page = self._client.list_map_runs(executionArn=execution, maxResults=_MAP_RUNS_PER_PAGE)
        yield from page["mapRuns"]
        while token := page.get("nextToken"):
            page = self._client.list_map_runs(executionArn=execution, maxResults=_MAP_RUNS_PER_PAGE, nextToken=token)
            yield from page["mapRuns"]


def _ended(found: Mapping[str, Any]) -> str:
    cause = found.get("cause", "")
    try:  # a function's error comes as JSON
        cause = json.loads(cause)["errorMessage"]
    except (ValueError, KeyError, TypeError):
        cause = str(cause).partition("\n")[0][:200]
    reason = ": ".join(part for part in (found.get("error", ""), cause) if part) or found["status"]
    return f"the round did not finish ({reason}); its execution is {found['executionArn']}"
