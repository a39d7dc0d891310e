# SPDX-License-Identifier: Apache-2.0
"""Reads what comes in pages to its end."""

from __future__ import annotations

from collections.abc import Callable

from indelible.ports import Page


def through(read: Callable[[str | None], Page]) -> list[list[str]]:
    """Every page, as `read` gives them one after the other; sorted, because some come in no order."""
    pages: list[list[str]] = []
    after: str | None = None
    while True:
        page = read(after)
        pages.append(sorted(page.names))
        after = page.after
        if after is None:
            return pages
        assert len(pages) < 1000, "pages never end"
