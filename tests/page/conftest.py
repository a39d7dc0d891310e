# SPDX-License-Identifier: Apache-2.0
"""One browser for these tests, in which every page is opened from its own file with the network cut off.

Its driver keeps an event loop running in this thread: it must be gone before tests elsewhere start one of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from indelible.page.parts import PageParts
from indelible.page.render import render
from tests.page.browser import FLAGS, Opened, chromium


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Headless Chromium. Without one these tests fail: a page that nobody opened proves nothing."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="package")
def tab(browser: Browser) -> Iterator[Opened]:
    """A tab that pages are opened in, one after the other: a new one for each would take longer than the page does."""
    opened = Opened(browser.new_context())
    yield opened
    opened.context.close()


class Opener:
    """Opens pages, by default all in one tab."""

    def __init__(self, browser: Browser, tab: Opened, directory: Path) -> None:
        self._browser = browser
        self._tab = tab
        self._directory = directory
        self._own: list[Opened] = []

    def __call__(self, page: PageParts | bytes, *, before: str = "", **context: object) -> Opened:
        """The page, once it has come to its verdict.

        `before` is a script that runs before the page's own: what another browser would be like. With it, or with
        settings for the `context`, the page gets a tab of its own.
        """
        path = self._directory / f"evidence-{len(list(self._directory.iterdir()))}.html"
        path.write_bytes(page if isinstance(page, bytes) else render(page))
        opened = self._tab
        if before or context:
            opened = Opened(self._browser.new_context(**context), before=before)  # type: ignore[arg-type]
            self._own.append(opened)
        opened.show(path)
        return opened

    def close(self) -> None:
        for opened in self._own:
            opened.context.close()


@pytest.fixture
def opens(browser: Browser, tab: Opened, tmp_path: Path) -> Iterator[Opener]:
    """`opens(parts)` gives the page, verified."""
    opener = Opener(browser, tab, tmp_path)
    yield opener
    opener.close()
