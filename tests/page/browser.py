# SPDX-License-Identifier: Apache-2.0
"""A page that was opened: what it said, what it tried, and how to use it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Dialog, Route

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """The browser of this machine; `CHROMIUM` names another one. Raises AssertionError where there is none."""
    asked = os.environ.get("CHROMIUM", "")
    found = next(filter(None, map(shutil.which, [asked] if asked else NAMES)), None)
    assert found, "no Chromium on this machine: `make chromium` installs Debian's, CHROMIUM=/path/to/it names one"
    return found


VERIFIED = """new Promise((resolve, reject) => {
  const look = () => "verified" in (document.documentElement?.dataset ?? {}) && (observer.disconnect(), resolve());
  const observer = new MutationObserver(look);
  observer.observe(document, { subtree: true, attributeFilter: ["data-verified"] });
  setTimeout(() => reject(new Error("no verdict in a minute")), 60_000);
  look();
})"""


class Opened:
    """`requests` is whatever it asked the network for, `complaints` what the browser wrote on its console."""

    def __init__(self, context: BrowserContext, *, before: str = "") -> None:
        self.context = context
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.dialogs: list[str] = []
        self._address = ""
        context.route("**/*", self._route)
        self.page = context.new_page()
        self._devtools = context.new_cdp_session(self.page)
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._dismiss)
        if before:
            self.page.add_init_script(before)

    def show(self, path: Path) -> None:
        """Open the page in this file, and wait until it has come to its verdict."""
        self._address = path.as_uri()
        for noted in (self.requests, self.complaints, self.dialogs):
            noted.clear()
        self.page.goto(self._address, wait_until="commit")
        self.wait()

    def _route(self, route: Route) -> None:
        if route.request.url == self._address:
            route.continue_()
        else:
            self.requests.append(route.request.url)
            route.abort()

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def wait(self) -> None:
        """Until there is a verdict. The page is asked once: asking again and again takes longer than verifying."""
        self.run(VERIFIED)

    def again(self, click: str) -> None:
        """Press a button that makes it verify anew, and wait for that."""
        self.run("delete document.documentElement.dataset.verified")
        self.page.click(click)
        self.wait()

    @property
    def verdict(self) -> dict[str, Any]:
        """What it offers as JSON."""
        return dict(json.loads(self.run("document.querySelector('#verdict-json').textContent") or "{}"))

    @property
    def codes(self) -> list[tuple[str, int | None]]:
        """What it found wrong, and where."""
        return [(failure["code"], failure["sequence"]) for failure in self.verdict["failures"]]

    def text(self, selector: str) -> str:
        """What a reader sees there."""
        return str(self.run(f"document.querySelector({json.dumps(selector)}).innerText"))

    def run(self, script: str) -> Any:
        """The value of an expression in the page, as its own script would have it: the policy holds."""
        answer = self._devtools.send(
            "Runtime.evaluate",
            {
                "expression": script,
                "awaitPromise": True,
                "returnByValue": True,
                "allowUnsafeEvalBlockedByCSP": False,
            },
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")
