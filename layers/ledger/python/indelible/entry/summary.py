# SPDX-License-Identifier: Apache-2.0
"""Summaries of anchoring, as the JSON that the workflow passes from function to function and shows at its end.

Invariant: a page of organisations and its results fit the 256 KiB of a workflow's state, whatever went wrong. So a
summary names where a failure is, and the functions' logs have the details.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import Struct, field

if TYPE_CHECKING:
    from indelible.services.rounds import RoundReport

T = TypeVar("T")

MAX_LISTED = 100
"""Broken organisations, and as many failed ones, that a round's summary names. It counts the others."""

_MAX_DETAIL = 80
"""Characters."""


class Break(Struct, frozen=True, kw_only=True):
    """The first failure in a chain. POST /v1/verify reports all of them."""

    code: str
    sequence: int | None
    detail: str


class BatchSummary(Struct, frozen=True, kw_only=True):
    """What one invocation did for its batch of organisations.

    `unfinished`: how many organisations have records left to anchor. `broken`: by organisation. `failed`: error codes
    by organisation. `not_reached`: organisations for which no time was left.
    """

    organisations: int = 0
    records: int = 0
    sealed: int = 0
    repaired: int = 0
    unfinished: int = 0
    broken: dict[str, Break] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    not_reached: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, done: RoundReport) -> BatchSummary:
        """The summary of a report."""
        broken = {report.org_id: report.broken[0] for report in done.reports if report.broken}
        return cls(
            organisations=len(done.reports),
            records=sum(report.records for report in done.reports),
            sealed=sum(report.sealed for report in done.reports),
            repaired=sum(report.repaired for report in done.reports),
            unfinished=sum(report.behind_ms != 0 and not report.broken for report in done.reports),
            broken={
                org_id: Break(code=f.code, sequence=f.sequence, detail=f.detail[:_MAX_DETAIL])
                for org_id, f in broken.items()
            },
            failed=dict(done.failed),
            not_reached=list(done.not_reached),
        )


class RoundSummary(Struct, frozen=True, kw_only=True):
    """What a round did. `unlisted`: how many more organisations are broken or failed than are named here."""

    organisations: int = 0
    records: int = 0
    sealed: int = 0
    repaired: int = 0
    unfinished: int = 0
    broken: dict[str, Break] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    unlisted: int = 0

    def plus(self, batch: BatchSummary) -> RoundSummary:
        """These totals with those of one more batch."""
        broken, failed = self.broken | batch.broken, self.failed | batch.failed
        listed = _first(broken), _first(failed)
        return RoundSummary(
            organisations=self.organisations + batch.organisations,
            records=self.records + batch.records,
            sealed=self.sealed + batch.sealed,
            repaired=self.repaired + batch.repaired,
            unfinished=self.unfinished + batch.unfinished,
            broken=listed[0],
            failed=listed[1],
            unlisted=self.unlisted + len(broken) + len(failed) - len(listed[0]) - len(listed[1]),
        )


def as_json(summary: Struct) -> dict[str, Any]:
    """The summary as plain values, for the output of a function."""
    values: dict[str, Any] = msgspec.to_builtins(summary)
    return values


def _first(found: Mapping[str, T]) -> dict[str, T]:
    return dict(islice(found.items(), MAX_LISTED))
