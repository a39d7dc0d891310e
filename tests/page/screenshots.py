# SPDX-License-Identifier: Apache-2.0
"""Write the pictures of docs/evidence-page.md: `python -m tests.page.screenshots`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright
from rfc3161_client import TimestampRequestBuilder

from indelible.domain.anchors import AnchorFile
from indelible.domain.ledger import leaf_data
from indelible.domain.note import parse_note, verifier_key
from indelible.external.verify_ots import read_stamp, write_detached
from indelible.page.parts import AnchoredCheckpoint, PageAnchor, PageParts
from indelible.page.render import render
from local.external.authority import QUERY, Authority
from local.external.calendar import Calendar
from local.external.web import Request
from tests.page.browser import FLAGS, Opened, chromium
from tests.page.samples import LEDGER, PUBLIC_KEY, chain, ledger_proof, parts_of, receipt
from tests.unit.services.test_ledger_proof import ALICE, COSIGNED_AT

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "page"
INDEX, SIZE = 317, 412
"""Of the ledger's own log, where others have looked at it."""


def whole(count: int) -> PageParts:
    """A chain as it was sealed, with a checkpoint now and then; the last records wait for theirs."""
    step = max(3, min(900, count // 5))
    last = count if count < 20_000 else count - 37
    parts = parts_of(chain(count), sizes=[*range(7, last, step), last])
    newest = parts.checkpoints[-1]
    proof = ledger_proof(leaf_data(parse_note(newest.note)), INDEX, SIZE)
    published = proof.checkpoint.data
    digest = hashlib.sha256(published).digest()
    calendar = Calendar("https://calendar.example.net", block_seconds=600, clock=lambda: float(COSIGNED_AT))
    stamp = read_stamp(calendar(Request("POST", "/digest", "", digest)).body, digest)
    anchors = (
        PageAnchor(AnchorFile("cosignature", "witness.example_alice"), ALICE.line(proof.checkpoint).line.encode()),
        PageAnchor(AnchorFile("pending", "calendar.example.net"), write_detached(stamp)),
        PageAnchor(AnchorFile("token", "tsa.example.com"), token(published)),
    )
    return replace(
        parts,
        checkpoints=(*parts.checkpoints[:-1], replace(newest, ledger_proof=proof.data)),
        anchored=AnchoredCheckpoint(SIZE, newest.size, proof.data, anchors),
    )


def token(data: bytes) -> bytes:
    """An authority's answer."""
    with TemporaryDirectory() as directory:
        query = TimestampRequestBuilder().data(data).build().as_bytes()
        return Authority(Path(directory))(Request("POST", "/", QUERY, query)).body


def tampered(count: int, sequence: int) -> bytes:
    """The same, and then somebody turned one decision into another in the file."""
    page = render(whole(count))
    line = next(line for line in page.split(b"\n") if b"/%012d-" % sequence in line)
    changed = line.replace(b'"action":"escalate"', b'"action":"approve"')
    assert changed != line, f"record {sequence} is no escalation"
    return page.replace(line, changed)


def top(page: Opened) -> None:
    """The verdict, and what it rests on."""


def records(page: Opened) -> None:
    """The timeline."""
    page.page.locator("#records-heading").evaluate("(element) => element.scrollIntoView()")


def traces(page: Opened) -> None:
    """The timeline by trace, with a decision read whole."""
    page.page.check("#group")
    page.page.locator("#list .row.record.decision").nth(1).click()
    records(page)


def held(page: Opened) -> None:
    """What a reader brought along, and what came of it."""
    page.page.fill("#pinned", verifier_key(LEDGER, PUBLIC_KEY))
    page.again("#pinned-check")
    page.page.fill("#witness", str(ALICE.key))
    page.again("#witness-check")
    page.page.fill("#receipt", json.dumps(receipt(chain(1_000)[141])))
    page.again("#receipt-check")
    page.page.locator("#held-heading").evaluate("(element) => element.scrollIntoView()")


def paper(page: Opened) -> None:
    """What is printed."""
    page.run("dispatchEvent(new Event('beforeprint'))")
    page.page.emulate_media(media="print")


def main() -> None:
    """All of them, a few seconds each."""
    PICTURES.mkdir(exist_ok=True)
    broken = next(r.sequence for r in chain(1_000)[400:] if b'"action":"escalate"' in r.data)
    with sync_playwright() as playwright, TemporaryDirectory() as directory:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        take = Camera(browser, Path(directory))
        take("10-valid-light", render(whole(10)), top, "light", 1280, 860)
        take("1000-traces-light", render(whole(1_000)), traces, "light", 1280, 960)
        take("1000-tampered-light", tampered(1_000, broken), top, "light", 1280, 860)
        take("1000-tampered-records-dark", tampered(1_000, broken), records, "dark", 1280, 960)
        take("1000-tampered-narrow", tampered(1_000, broken), top, "light", 390, 844)
        take("1000-held-light", render(whole(1_000)), held, "light", 1280, 960)
        take("1000-paper", render(whole(1_000)), paper, "light", 690, 976)
        take("20000-valid-dark", render(whole(20_000)), top, "dark", 1440, 900)
        take("20000-records-light", render(whole(20_000)), records, "light", 1440, 1000)
        browser.close()


class Camera:
    """Opens a page, does something with it, and takes its picture."""

    def __init__(self, browser: Browser, directory: Path) -> None:
        self._browser = browser
        self._path = directory / "evidence.html"

    def __call__(
        self, name: str, page: bytes, look: Callable[[Opened], None], theme: str, width: int, height: int
    ) -> None:
        self._path.write_bytes(page)
        context = self._browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)  # type: ignore[arg-type]
        opened = Opened(context)
        opened.show(self._path)
        look(opened)
        opened.page.screenshot(path=PICTURES / f"{name}.png")
        context.close()


if __name__ == "__main__":
    main()
