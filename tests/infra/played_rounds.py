# SPDX-License-Identifier: Apache-2.0
"""A ledger whose rounds are played: the state machine and the handlers are real, the anchor does what it is told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from indelible.domain.findings import Failure, FailureCode
from indelible.domain.organisation import OrgConfig
from indelible.entry import anchoring, planning
from indelible.errors import Unavailable
from indelible.services.anchor import AnchorReport
from indelible.services.ledger_log import LedgerLog
from indelible.services.planner import Planner
from indelible.services.rounds import Rounds
from infra.round_definition import FUNCTION_SECONDS, Step, definition
from tests.fakes.machine import ManualClock, RecordingTelemetry
from tests.fakes.table import FakeNews, FakeOrganisations, FakeRoundStarts
from tests.infra.states import ChildEnded, Json, Machine, StatesError

CREATED = "2026-03-20T00:00:00.000Z"
STEPS = [
    Step(name="Ledger", answer="ledger", function_arn="anchor", asked={"log": "ledger"}),
    Step(name="More", answer="more", function_arn="more", asked={}),
]
DEFINITION = definition(plan_arn="plan", anchor_arn="anchor", concurrency=20, steps=STEPS)
LOGGED = {"tree_size": 3, "failed": None}
BROKEN = Failure(FailureCode.CHECKPOINT_MISMATCH, 999_999_999_999, "the records lead to another root " * 9)


class Telemetry(RecordingTelemetry):
    """As the handlers want it."""

    def begin(self, request_id: str) -> None: ...

    def flush(self) -> None: ...


def _nobody() -> LedgerLog:
    raise AssertionError("not asked for")


class Gone(BaseException):
    """The end of a function's process; no code of ours sees it."""


class Silent(Gone):
    """The end of its child execution, too."""


@dataclass
class Context:
    aws_request_id: str = "r"

    def get_remaining_time_in_millis(self) -> int:
        return FUNCTION_SECONDS * 1000


@dataclass
class Ledger:
    """A ledger whose anchor does what it is told for each organisation."""

    names: list[str]
    broken: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    #: These end the function, as running out of memory does.
    deadly: set[str] = field(default_factory=set)
    #: These take all the time that there is.
    slow: set[str] = field(default_factory=set)
    #: These end the child execution in such a way that it gives no answer at all.
    silent: set[str] = field(default_factory=set)
    concurrency: int = 20
    #: The ledger's own log ends its function.
    log_deadly: bool = False
    anchored: Counter[str] = field(default_factory=Counter)
    clock: ManualClock = field(default_factory=ManualClock)
    telemetry: Telemetry = field(default_factory=Telemetry)
    news: FakeNews = field(default_factory=FakeNews)
    starts: FakeRoundStarts = field(default_factory=FakeRoundStarts)

    def play(self, **asked: str) -> dict[str, Any]:
        self.machine = Machine(DEFINITION, {"plan": self._plan, "anchor": self._anchor, "more": dict})
        output: dict[str, Any] = self.machine.run(dict(asked))
        return output

    def _plan(self, event: Json) -> Json:
        organisations = FakeOrganisations({name: OrgConfig(name, CREATED, ()) for name in self.names})
        planner = Planner(news=self.news, organisations=organisations, clock=self.clock, concurrency=self.concurrency)
        return planning.plan(
            event,
            Context(),
            planner=lambda: planner,
            starts=lambda: self.starts,
            clock=self.clock,
            telemetry=self.telemetry,  # type: ignore[arg-type]
        )

    def _anchor(self, event: Json) -> Json:
        if event == {"log": "ledger"}:
            if self.log_deadly:
                raise StatesError("Sandbox.Timedout")
            return LOGGED
        rounds = Rounds(anchor=self, clock=self.clock, telemetry=self.telemetry)  # type: ignore[arg-type]
        try:
            return anchoring.anchor(
                event,
                Context(),
                rounds=lambda: rounds,
                ledger_log=_nobody,
                clock=self.clock,
                telemetry=self.telemetry,  # type: ignore[arg-type]
            )
        except Silent:
            raise ChildEnded from None
        except Gone:
            raise StatesError("Runtime.OutOfMemory") from None

    def run(self, org_id: str, *, deadline_ms: int) -> AnchorReport:
        if org_id in self.deadly:
            raise Gone
        if org_id in self.silent:
            raise Silent
        if org_id in self.slow:
            self.clock.advance(FUNCTION_SECONDS * 1000)
        if org_id in self.failing:
            raise Unavailable("no")
        self.anchored[org_id] += 1
        broken = (BROKEN,) if org_id in self.broken else ()
        return AnchorReport(org_id, tree_size=1, records=0 if broken else 1, broken=broken)


def organisations(count: int) -> list[str]:
    return [f"org-{number:04}-{'x' * 50}" for number in range(count)]
