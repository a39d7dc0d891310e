# SPDX-License-Identifier: Apache-2.0
"""A scheduled round: which organisations need the anchor, one after another, none in another's way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from indelible.errors import EvidenceBroken, HeadRegressed, LedgerError
from indelible.ports import Clock, News, Organisations, Telemetry
from indelible.services.anchor import Anchor, AnchorReport


@dataclass(frozen=True, slots=True)
class RoundReport:
    """What a round did. `failed` names organisations whose run stopped; the next round tries them again."""

    reports: tuple[AnchorReport, ...]
    failed: tuple[str, ...]
    not_reached: int


class Rounds:
    """Chooses and runs."""

    def __init__(
        self, *, anchor: Anchor, news: News, organisations: Organisations, clock: Clock, telemetry: Telemetry
    ) -> None:
        self._anchor = anchor
        self._news = news
        self._organisations = organisations
        self._clock = clock
        self._telemetry = telemetry

    def run(self, kind: Literal["news", "sweep"], *, budget_ms: int) -> RoundReport:
        """`news`: those with fresh records. `sweep`: all, because markers may be lost to crashes."""
        if kind == "sweep":
            return self.anchor(self._organisations.all(), budget_ms=budget_ms)
        return self.anchor(self._news.recent(self._clock.now_ms()), budget_ms=budget_ms)

    def anchor(self, organisations: Iterable[str], *, budget_ms: int) -> RoundReport:
        """Run the anchor for each, as far as the time goes, and publish how far behind the ledger is."""
        deadline_ms = self._clock.now_ms() + budget_ms
        reports: list[AnchorReport] = []
        failed: list[str] = []
        stopped = 0
        not_reached = 0
        for org_id in organisations:
            if reports and self._clock.now_ms() >= deadline_ms:
                not_reached += 1
                continue
            try:
                reports.append(self._anchor.run(org_id, deadline_ms=deadline_ms))
            except LedgerError as error:
                failed.append(org_id)
                stopped += isinstance(error, EvidenceBroken)
                if isinstance(error, HeadRegressed):
                    self._telemetry.count("HeadRegressed")
                self._telemetry.note("anchoring failed", org_id=org_id, code=error.code, detail=error.message)
            except Exception as error:  # even a fault of ours, met in one tenant's data, is nobody else's trouble
                failed.append(org_id)
                self._telemetry.count("UnexpectedErrors")
                self._telemetry.note("anchoring failed", org_id=org_id, code="INTERNAL", detail=type(error).__name__)
        broken = stopped + sum(bool(report.broken) for report in reports)
        self._telemetry.count("BrokenChain", broken)
        self._telemetry.count("ShadowedRecords", sum(report.shadowed for report in reports))
        self._telemetry.count("AnchorLagSeconds", _seconds(r.behind_ms for r in reports), unit="Seconds")
        self._telemetry.count("OutboxAgeSeconds", _seconds(r.outbox_age_ms for r in reports), unit="Seconds")
        return RoundReport(tuple(reports), tuple(failed), not_reached)


def _seconds(durations_ms: Iterable[int]) -> float:
    return max(durations_ms, default=0) / 1000
