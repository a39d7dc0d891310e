# SPDX-License-Identifier: Apache-2.0
"""Reading: finding records, by keyboard and by ear as well, on paper, and on a small screen."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from indelible.domain.anchors import AnchorFile
from indelible.page.parts import AnchoredCheckpoint, PageAnchor
from tests.page.browser import Opened
from tests.page.conftest import Opener
from tests.page.samples import chain, parts_of
from tests.page.test_held import hold

HERE = Path(__file__).parent
PARTS = parts_of(chain(300), sizes=[100, 290])


def tally(page: Opened, expected: str) -> None:
    """Wait until the list says that it shows so many."""
    page.page.wait_for_selector(f"#tally:has-text('{expected}')")


def matching(pattern: str) -> int:
    """How many of the records have this in their bytes."""
    return sum(1 for record in chain(300) if re.search(pattern, record.data.decode()))


def active(page: Opened) -> str:
    """What a screen reader is told to read now."""
    row = page.page.get_attribute("#list", "aria-activedescendant")
    return page.text(f"#{row}") if row else ""


# -- finding --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "given", "pattern"),
    [
        ("#filter-text", "PAY SLIPS", "pay slips"),
        ("#filter-text", "application-1210", "application-1210"),
        ("#filter-actor", "branch-desk-a", '"actor":"branch-desk-a"'),
        ("#filter-type", "TOOL_RESULT", '"event_type":"TOOL_RESULT"'),
        ("#filter-from", "2026-03-19T08:10:00", r'"timestamp":"2026-03-19T(08:[1-5]|09|1)'),
        ("#filter-to", "2026-03-19T08:09:59", r'"timestamp":"2026-03-19T(07|08:0)'),
    ],
)
def test_filters_show_what_they_say(field: str, given: str, pattern: str, opens: Opener) -> None:
    page = opens(PARTS)

    page.page.fill(field, given)

    assert 0 < matching(pattern) < 300
    tally(page, f"{matching(pattern)} of 300 records")
    page.page.click("#filter-clear")
    tally(page, "300 records")


def test_levels_overrides_and_findings(opens: Opener) -> None:
    page = opens(PARTS)
    page.page.select_option("#filter-level", "decision")
    decisions, overrides = matching('"level":"decision"'), matching('"overridden":true')
    tally(page, f"{decisions} of 300")
    page.page.check("#filter-override")
    tally(page, f"{overrides} of 300")
    page.page.check("#filter-broken")
    tally(page, "0 of 300")


def test_a_hash_finds_its_record(opens: Opener) -> None:
    page = opens(PARTS)

    page.page.fill("#filter-text", chain(300)[41].tx_hash)

    tally(page, "2 of 300")  # the record that has it, and the one that names it
    assert page.page.locator("#list .row.record .number").all_inner_texts() == ["42", "43"]


def test_a_trace_is_followed_from_a_record_and_traces_fold(opens: Opener) -> None:
    page = opens(PARTS)
    page.page.locator("#list .row.record").nth(2).click()
    page.page.click("text=show all of it")
    trace = json.loads(chain(300)[2].data)["event"]["trace_id"]
    members = matching(f'"trace_id":"{trace}"')
    tally(page, f"{members} of 300 records of the trace {trace}")

    page.page.click("#filter-clear")
    page.page.check("#group")
    heading = page.page.locator("#list .row.trace").first
    assert heading.get_attribute("aria-expanded") == "true"
    heading.click()
    assert page.page.locator("#list .row.trace").first.get_attribute("aria-expanded") == "false"
    assert page.page.get_attribute("#list", "role") == "treegrid"


def test_a_record_is_shown_whole(opens: Opener) -> None:
    page = opens(PARTS)
    page.page.fill("#goto", "103")
    page.page.press("#goto", "Enter")

    found = chain(300)[102]
    detail = page.text("#detail")
    for expected in (found.tx_hash, found.prev_hash, found.audit_id, found.s3_key, "checkpoint 290 covers it"):
        assert expected in detail
    assert page.page.text_content("#detail .raw") == found.data.decode()


def test_findings_lead_to_their_records_whatever_is_filtered(opens: Opener) -> None:
    broken = replace(
        PARTS, records=[*PARTS.records[:200], *PARTS.records[201:250], PARTS.records[100], *PARTS.records[250:]]
    )
    page = opens(broken)
    assert page.codes == [("FORK", 101), ("MISSING", 201)]
    page.page.fill("#filter-text", "nothing like it")
    tally(page, "0 of 300")

    page.page.click("#failures button:has-text('record 101')")

    assert page.text("#detail-heading") == "Record 101"
    tally(page, "300 records")
    page.page.fill("#goto", "202")
    page.page.press("#goto", "Enter")
    assert page.page.locator("#list .row.gap").inner_text() == "✗ Record 201 is not here: MISSING"


# -- by keyboard and by ear -------------------------------------------------------------------------------


def test_the_list_is_used_by_keyboard_alone(opens: Opener) -> None:
    page = opens(PARTS)
    page.page.focus("#list")
    page.page.keyboard.press("Home")
    assert "Thursday, 19 March 2026" in active(page)
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("ArrowDown")
    assert active(page).startswith("2\n")
    page.page.keyboard.press("PageDown")
    page.page.keyboard.press("End")
    assert active(page).startswith("300\n")

    page.page.keyboard.press("Enter")
    assert page.text("#detail-heading") == "Record 300"
    assert page.run("document.activeElement.id") == "detail"
    page.page.keyboard.press("Escape")
    assert page.run("document.activeElement.id") == "list"


def test_the_first_tab_stop_skips_to_the_records(opens: Opener) -> None:
    page = opens(PARTS)
    page.page.keyboard.press("Tab")
    assert page.run("document.activeElement.className") == "skip"
    page.page.keyboard.press("Enter")
    assert page.run("document.activeElement.id") == "records-heading"


def test_everything_has_a_role_and_a_name(opens: Opener) -> None:
    page = opens(PARTS)

    unnamed = page.run((HERE / "unnamed.js").read_text())
    assert unnamed == []
    assert page.page.get_by_role("main").count() == 1
    assert page.page.get_by_role("heading", level=1).count() == 1
    assert page.page.get_attribute("html", "lang") == "en"
    assert page.page.get_attribute("#list", "aria-rowcount") == "301"
    assert page.page.get_attribute("#row-5", "aria-rowindex") == "6"
    assert page.page.locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count() == 0


def test_the_verdict_is_announced(opens: Opener) -> None:
    page = opens(PARTS)

    assert page.page.get_attribute("#announcer", "aria-live") == "polite"
    assert (page.page.text_content("#announcer") or "").startswith("Valid. All 300 records")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_stand_out_from_their_ground(theme: str, opens: Opener) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1, in either theme, also where something is wrong."""
    page = opens(replace(PARTS, records=[*PARTS.records[:20], *PARTS.records[21:]]))
    page.page.click(f"#theme input[value={theme}] + span")

    low = page.run((HERE / "contrast.js").read_text())

    assert low == []


# -- on paper, and on a small screen ----------------------------------------------------------------------


def test_paper_gets_every_record_that_is_shown(opens: Opener) -> None:
    page = opens(PARTS)
    page.run("dispatchEvent(new Event('beforeprint'))")
    page.page.emulate_media(media="print")

    assert page.page.locator("#printed tbody tr").count() == 300
    assert page.page.is_hidden("#list")
    assert page.page.is_visible("#verdict-headline")
    page.page.emulate_media(media="screen")
    page.run("dispatchEvent(new Event('afterprint'))")
    assert page.page.locator("#printed tr").count() == 0
    assert page.page.pdf().startswith(b"%PDF")


def test_a_long_range_is_printed_in_part_and_says_so(opens: Opener) -> None:
    page = opens(parts_of(chain(2_500)))
    page.run("dispatchEvent(new Event('beforeprint'))")

    assert page.page.locator("#printed tbody tr").count() == 2000
    assert "The first 2,000 of 2,500 records" in (page.page.text_content("#printed p") or "")


def test_on_a_narrow_screen_a_record_takes_the_place_of_the_list(opens: Opener) -> None:
    page = opens(PARTS, viewport={"width": 390, "height": 844})
    assert page.page.is_hidden("#detail")
    assert page.run("document.documentElement.scrollWidth") <= 390

    page.page.locator("#list .row.record").first.click()
    assert page.page.is_visible("#detail")
    assert page.page.is_hidden("#list")
    page.page.click("text=Back to the list")
    assert page.page.is_visible("#list")
    assert page.page.is_hidden("#detail")


# -- what it says ------------------------------------------------------------------------------------------


def test_it_says_what_it_cannot_know(opens: Opener) -> None:
    anchor = PageAnchor(AnchorFile("token", "example-tsa"), b"")
    page = opens(replace(PARTS, anchored=AnchoredCheckpoint(7, 290, None, (anchor,))))

    limits = page.text("#limits")
    for word in (
        "after record 300",
        "Who holds the key",
        "UNLOCKED and SHADOWED",
        "not who signed them",
        "forged page",
    ):
        assert word in limits
    assert "Records 291 to 300 are under no signed root" in page.text("#verdict-caution")
    assert "example-tsa" in page.text("#anchors")
    assert "not checked: nothing in this file leads to" in page.text("#anchors")
    assert len(page.verdict["unchecked"]) >= 6


def test_each_record_has_its_own_result(opens: Opener) -> None:
    page = opens(PARTS)
    hold(page, {"sequence": 5, "tx_hash": "ab" * 32})

    rows = page.page.locator("#list .row.record")
    states = {rows.nth(n).locator(".number").inner_text(): rows.nth(n).get_attribute("class") for n in range(8)}
    assert "bad" in (states["5"] or "")
    assert all("ok" in (states[str(n)] or "") for n in (1, 2, 3, 4, 6))
