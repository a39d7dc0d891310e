# SPDX-License-Identifier: Apache-2.0
"""Which organisations are anchored in a round: page by page, in batches that one function can anchor.

No function loops over all tenants. The workflow (infra/constructs/anchor_workflow.py) asks for page after page, and
starts as many functions at once as are allowed, each with a batch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, assert_never

from indelible.domain.record import ADMIN_ORG, ORG_ID
from indelible.errors import NotFound
from indelible.ports import Clock, News, Organisations, Page

Run = Literal["news", "sweep", "org"]
"""`news`: organisations with new records. `sweep`: all, because a crash may lose a marker. `org`: one."""

PAGE_SIZE = 400
"""Most organisations of a page. Their results must fit into the 256 KiB of a workflow's state."""

BATCH_SIZE = 10
"""Most organisations of a batch. Each may take all the time that a function has; most take a fraction of it."""

_NAME = re.compile(rf"{ORG_ID}|{ADMIN_ORG}")


class Planner:
    """Reads the registry and the news, nothing else."""

    def __init__(self, *, news: News, organisations: Organisations, clock: Clock, concurrency: int) -> None:
        """`concurrency`: how many batches are anchored at once."""
        self._news = news
        self._organisations = organisations
        self._clock = clock
        self._concurrency = concurrency

    def choose(self, run: Run, *, org_id: str = "", after: str | None = None) -> Page:
        """The next page of a round. Raises NotFound for a run of one organisation that is not registered."""
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
        """Split a page into batches: of one organisation each, if there are few, else as equal as possible."""
        size = min(BATCH_SIZE, -(-len(names) // self._concurrency))
        return [list(names[start : start + size]) for start in range(0, len(names), size)] if names else []
