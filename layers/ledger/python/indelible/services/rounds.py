# SPDX-License-Identifier: Apache-2.0
"""A round of the anchor, in parts that each fit one function: choose some organisations, anchor a batch of them.

No function ever loops over all tenants. The workflow (infra/constructs/anchor_workflow.py) asks for one page of
organisations after the other and hands their batches to as many functions as are allowed at once. Rounds may overlap,
and a batch may be anchored twice: two anchors of one organisation agree (services/anchor.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, assert_never

from indelible.domain.record import ADMIN_ORG, ORG_ID
from indelible.errors import EvidenceBroken, HeadRegressed, LedgerError, NotFound
from indelible.ports import Clock, News, Organisations, Page, Telemetry
from indelible.services.anchor import Anchor, AnchorReport

Run = Literal["news", "sweep", "org"]
"""`news`: those with fresh records. `sweep`: all, because markers may be lost to crashes. `org`: one."""

PAGE_SIZE = 400
"""Organisations chosen at once. With what came of them they must fit the 256 KiB of a workflow's state."""

BATCH_SIZE = 10
"""Organisations for one function at most. Each may take all the time that a function has; most take a fraction."""

_NAME = re.compile(rf"{ORG_ID}|{ADMIN_ORG}")


class Planner:
    """Chooses. Reads the registry and the news, nothing else."""

    def __init__(self, *, news: News, organisations: Organisations, clock: Clock, concurrency: int) -> None:
        """`concurrency`: how many batches are anchored at once."""
        self._news = news
        self._organisations = organisations
        self._clock = clock
        self._concurrency = concurrency

    def choose(self, run: Run, *, org_id: str = "", after: str | None = None) -> Page:
        """The next organisations of a round. Raises NotFound for a run of one that is not registered."""
        match run:
            case "news":
                return self._news.recent(self._clock.now_ms(), after, limit=PAGE_SIZE)
            case "sweep":
                return self._organisations.page(after, limit=PAGE_SIZE)
            case "org":
                if not _NAME.fullmatch(org_id) or not self._organisations.registered(org_id):
                    raise NotFound(f"there is no organisation {org_id!r}", field="org_id")
                return Page((org_id,), after=None)
        assert_never(run)

    def batches(self, names: Sequence[str]) -> list[list[str]]:
        """Few organisations get a function each, many share one."""
        size = min(BATCH_SIZE, -(-len(names) // self._concurrency))
        return [list(names[start : start + size]) for start in range(0, len(names), size)] if names else []


@dataclass(frozen=True, slots=True)
class RoundReport:
    """What was done for a batch. `failed`: organisation → error code; the next round tries them again."""

    reports: tuple[AnchorReport, ...]
    failed: dict[str, str]
    not_reached: tuple[str, ...]


class Rounds:
    """Anchors a batch: one organisation after another, none in another's way."""

    def __init__(self, *, anchor: Anchor, clock: Clock, telemetry: Telemetry) -> None:
        self._anchor = anchor
        self._clock = clock
        self._telemetry = telemetry

    def anchor(self, organisations: Iterable[str], *, budget_ms: int) -> RoundReport:
        """Run the anchor for each, as far as the time goes, and publish how far behind they are.

        The first is always reached, whatever the time: a batch of one never comes back undone.
        """
        deadline_ms = self._clock.now_ms() + budget_ms
        reports: list[AnchorReport] = []
        failed: dict[str, str] = {}
        not_reached: list[str] = []
        stopped = 0
        for org_id in organisations:
            if (reports or failed) and self._clock.now_ms() >= deadline_ms:
                not_reached.append(org_id)
                continue
            try:
                reports.append(self._anchor.run(org_id, deadline_ms=deadline_ms))
            except LedgerError as error:
                failed[org_id] = error.code
                stopped += isinstance(error, EvidenceBroken)
                if isinstance(error, HeadRegressed):
                    self._telemetry.count("HeadRegressed")
                self._telemetry.note("anchoring failed", org_id=org_id, code=error.code, detail=error.message)
            except Exception as error:  # even a fault of ours, met in one tenant's data, is nobody else's trouble
                failed[org_id] = LedgerError.code
                self._telemetry.count("UnexpectedErrors")
                self._telemetry.note("anchoring failed", org_id=org_id, code="INTERNAL", detail=type(error).__name__)
        broken = stopped + sum(bool(report.broken) for report in reports)
        self._telemetry.count("BrokenChain", broken)
        self._telemetry.count("ShadowedRecords", sum(report.shadowed for report in reports))
        behind_ms = [*(report.behind_ms for report in reports), *map(self._behind_ms, failed)]
        self._telemetry.count("AnchorLagSeconds", _seconds(ms for ms in behind_ms if ms is not None), unit="Seconds")
        self._telemetry.count("OutboxAgeSeconds", _seconds(r.outbox_age_ms for r in reports), unit="Seconds")
        return RoundReport(tuple(reports), failed, tuple(not_reached))

    def _behind_ms(self, org_id: str) -> int | None:
        """Of an organisation whose run failed; None where that cannot be read either, which other metrics tell."""
        with suppress(Exception):
            return self._anchor.behind_ms(org_id)
        return None


def _seconds(durations_ms: Iterable[int]) -> float:
    return max(durations_ms, default=0) / 1000
