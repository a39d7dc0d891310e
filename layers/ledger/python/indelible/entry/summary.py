# SPDX-License-Identifier: Apache-2.0
"""What the anchor did, in the JSON that the workflow carries from function to function and shows at its end.

Invariant: a page of organisations and what came of it fits the 256 KiB of a workflow's state, whatever went wrong;
so a summary names places, and the functions' logs have the rest.
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

MOST_LISTED = 100
"""Organisations in trouble that a round's summary names; it counts the others."""

_DETAIL = 80


class Break(Struct, frozen=True, kw_only=True):
    """Where a chain is broken: the first place of the run. verify knows all of them."""

    code: str
    sequence: int | None
    detail: str


class BatchSummary(Struct, frozen=True, kw_only=True):
    """What one function did for its organisations.

    `unfinished`: how many have more to anchor than the time allowed. `failed`: organisation → error code.
    `not_reached`: those for which no time was left.
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
        """A report as JSON has it."""
        broken = {report.org_id: report.broken[0] for report in done.reports if report.broken}
        return cls(
            organisations=len(done.reports),
            records=sum(report.records for report in done.reports),
            sealed=sum(report.sealed for report in done.reports),
            repaired=sum(report.repaired for report in done.reports),
            unfinished=sum(report.behind_ms != 0 and not report.broken for report in done.reports),
            broken={
                org_id: Break(code=f.code, sequence=f.sequence, detail=f.detail[:_DETAIL])
                for org_id, f in broken.items()
            },
            failed=dict(done.failed),
            not_reached=list(done.not_reached),
        )


class RoundSummary(Struct, frozen=True, kw_only=True):
    """What a round did. `unlisted`: how many more are in trouble than `broken` and `failed` name."""

    organisations: int = 0
    records: int = 0
    sealed: int = 0
    repaired: int = 0
    unfinished: int = 0
    broken: dict[str, Break] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    unlisted: int = 0

    def plus(self, batch: BatchSummary) -> RoundSummary:
        """With what one more function did."""
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
    """As plain values, for a function's answer."""
    values: dict[str, Any] = msgspec.to_builtins(summary)
    return values


def _first(found: Mapping[str, T]) -> dict[str, T]:
    return dict(islice(found.items(), MOST_LISTED))
