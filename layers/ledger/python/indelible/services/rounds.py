# SPDX-License-Identifier: Apache-2.0
"""Anchor a batch of a round (services/planner.py): one organisation after another, each independent of the others.

Rounds may overlap, and a batch may be anchored twice: two anchors of one organisation agree (services/anchor.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from indelible.errors import EvidenceBroken, HeadRegressed, LedgerError
from indelible.ports import Clock, Telemetry
from indelible.services.anchor import Anchor, AnchorReport


@dataclass(frozen=True, slots=True)
class RoundReport:
    """What was done for a batch."""

    reports: tuple[AnchorReport, ...]
    failed: dict[str, str]
    """Organisations whose run raised, with the error's code. The next round tries them again."""
    not_reached: tuple[str, ...]
    """Organisations for which there was no time."""


class Rounds:
    """Anchors one batch at a time."""

    def __init__(self, *, anchor: Anchor, clock: Clock, telemetry: Telemetry) -> None:
        self._anchor = anchor
        self._clock = clock
        self._telemetry = telemetry

    def anchor(self, organisations: Iterable[str], *, budget_ms: int) -> RoundReport:
        """Run the anchor for each organisation, until the time is over, and publish metrics. Never raises.

        The first one is always anchored, whatever the time: a batch of one always makes progress.
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
            except Exception as error:  # a fault of ours, met in the data of one tenant, must not stop the others
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
        """Of an organisation whose run failed; None where that cannot be read either: another metric counts that."""
        with suppress(Exception):
            return self._anchor.behind_ms(org_id)
        return None


def _seconds(durations_ms: Iterable[int]) -> float:
    return max(durations_ms, default=0) / 1000
