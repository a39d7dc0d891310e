# SPDX-License-Identifier: Apache-2.0
"""Who is anchored in a round: one page of organisations after the other, in batches that each fit one function.

No function ever loops over all tenants. The workflow (infra/constructs/anchor_workflow.py) asks for page after page,
and hands the batches to as many functions as are allowed at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, assert_never

from indelible.domain.record import ADMIN_ORG, ORG_ID
from indelible.errors import NotFound
from indelible.ports import Clock, News, Organisations, Page

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
