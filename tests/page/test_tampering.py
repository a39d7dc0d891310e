# SPDX-License-Identifier: Apache-2.0
"""Somebody changes the file: whatever byte of the evidence it is, the page says so, and where."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from indelible.domain.note import VerifierKey
from indelible.page.render import render
from indelible.services.ranges import Range
from tests.fakes.audits import exported
from tests.fakes.unpacked import Unpacked
from tests.page.conftest import Opener
from tests.page.samples import KEY, LEDGER, PUBLIC_KEY, chain, note, parts_of, sealed, stored_object
from tests.page.test_anchors import cosignature, grown, line

PAGE = render(parts_of(chain(12), sizes=[5, 12]))
START = PAGE.index(b'<template id="records">') + len(b'<template id="records">')
END = PAGE.index(b"</template>", START)
LINES = PAGE[START:END].decode().splitlines(keepends=True)


def with_lines(lines: list[str]) -> bytes:
    """The page with other records in it."""
    return PAGE[:START] + "".join(lines).encode() + PAGE[END:]


def swapped(old: str, new: str, *, times: int = 1) -> bytes:
    """The page with one text in place of another, which must be there."""
    found = PAGE.decode()
    assert found.count(old) >= 1
    return found.replace(old, new, times).encode()


def in_line(number: int, old: str, new: str) -> bytes:
    """The page with something changed in one record's line."""
    lines = list(LINES)
    assert old in lines[number - 1]
    lines[number - 1] = lines[number - 1].replace(old, new)
    return with_lines(lines)


def digit(text: str) -> str:
    """The same with another last character."""
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def signature_of(size: int) -> str:
    """The signature line's base64 in the checkpoint of this size."""
    found = re.search(rf"{size}\\n[^\\]+\\n\\n— [^ ]+ ([A-Za-z0-9+/=]+)", PAGE.decode())
    assert found
    return found[1]


def root_of(size: int) -> str:
    found = re.search(rf"indelible/acme-corp\\n{size}\\n([^\\]+)\\n", PAGE.decode())
    assert found
    return found[1]


HASH_4 = chain(12)[3].tx_hash
FOREIGN = note(5, bytes(32), org_id="globex").decode().replace("\n", "\\n")
NOTE_5 = re.search(r'"note": "(indelible/acme-corp\\n5\\n[^"]+)"', PAGE.decode())
assert NOTE_5

MATRIX: dict[str, tuple[Callable[[], bytes], list[tuple[str, int | None]]]] = {
    "a word in the payload of 4": (
        lambda: in_line(4, '"action":"', '"action":"un'),
        [("CONTENT_MISMATCH", 4), ("BROKEN_LINK", 5), ("CHECKPOINT_MISMATCH", 5)],
    ),
    "the link of 5": (
        lambda: in_line(5, f'"prev_hash":"{HASH_4}"', f'"prev_hash":"{digit(HASH_4)}"'),
        [("CONTENT_MISMATCH", 5), ("BROKEN_LINK", 5), ("BROKEN_LINK", 6), ("CHECKPOINT_MISMATCH", 5)],
    ),
    "the checksum beside 4": (lambda: in_line(4, f'"{HASH_4}"', f'"{digit(HASH_4)}"'), [("CONTENT_MISMATCH", 4)]),
    "the key of 4": (
        lambda: in_line(4, '["acme-corp/2026', '["acme-corp/2027'),
        [("CONTENT_MISMATCH", 4)],
    ),
    "a key of 4 with a day that never was": (
        lambda: in_line(4, '["acme-corp/2026/03', '["acme-corp/2026/13'),
        [("UNKNOWN_FORMAT", None), ("MISSING", 4)],
    ),
    "4 and 5 in the other order": (
        lambda: with_lines([*LINES[:3], LINES[4], LINES[3], *LINES[5:]]),
        [("MISSING", 4), ("FORK", 4)],
    ),
    "4 left out": (lambda: with_lines([*LINES[:3], *LINES[4:]]), [("MISSING", 4)]),
    "the last two left out": (lambda: with_lines(LINES[:10]), [("TRUNCATED", 11)]),
    "4 twice": (lambda: with_lines([*LINES[:4], *LINES[3:]]), [("FORK", 4)]),
    "all left out": (lambda: with_lines([]), [("TRUNCATED", 1)]),
    "a line of somebody else's": (
        lambda: with_lines([*LINES[:4], "nothing to see here\n", *LINES[4:]]),
        [("UNKNOWN_FORMAT", None)],
    ),
    "the root of checkpoint 5": (lambda: swapped(root_of(5), "A" * 43 + "="), [("BAD_SIGNATURE", 5)]),
    "the size of checkpoint 5": (
        lambda: swapped("indelible/acme-corp\\n5\\n", "indelible/acme-corp\\n6\\n"),
        [("CHECKPOINT_MISMATCH", 5)],
    ),
    "the place of checkpoint 5": (lambda: swapped('"size": 5,', '"size": 6,'), [("CHECKPOINT_MISMATCH", 6)]),
    "the signature of checkpoint 12": (
        lambda: swapped(signature_of(12), signature_of(12)[:40] + "AAAA" + signature_of(12)[44:]),
        [("BAD_SIGNATURE", 12)],
    ),
    "another log's checkpoint": (lambda: swapped(NOTE_5[1], FOREIGN), [("CHECKPOINT_MISMATCH", 5)]),
    "no checkpoint at all in the note": (lambda: swapped(NOTE_5[1], "hello"), [("CHECKPOINT_MISMATCH", 5)]),
    "a good signature under another root": (
        lambda: swapped(NOTE_5[1], note(5, bytes(32), key=KEY).decode().replace("\n", "\\n")),
        [("CHECKPOINT_MISMATCH", 5)],
    ),
    "the public key": (
        lambda: swapped(str(VerifierKey(LEDGER, PUBLIC_KEY)), str(VerifierKey(LEDGER, bytes(32))), times=1),
        [("BAD_SIGNATURE", None)],
    ),
}


@pytest.mark.parametrize("what", MATRIX)
def test_tampering_is_named_at_its_place(what: str, opens: Opener) -> None:
    change, expected = MATRIX[what]

    page = opens(change())

    assert sorted(page.codes, key=str) == sorted(expected, key=str)
    assert page.verdict["valid"] is False
    places = [sequence for _, sequence in expected if sequence is not None]
    assert page.verdict["first_broken_at"] == min(places, default=None)
    assert page.text("#verdict-headline").startswith("Not valid")
    assert page.page.get_attribute("#verdict", "data-state") == "bad"


def test_any_byte_of_a_record_turns_the_page_red_at_that_record(opens: Opener) -> None:
    random = Random(5)
    for _ in range(25):
        sequence = random.randrange(1, 13)
        text = LINES[sequence - 1].encode()
        tab = text.index(b"\t")
        place = random.randrange(tab + 1, len(text) - 1)
        bit = 1 << random.randrange(8)
        if text[place] ^ bit in b"\r\n":
            continue  # the end of a line is not in the record
        flipped = text[:place] + bytes([text[place] ^ bit]) + text[place + 1 :]
        start = START + sum(len(each.encode()) for each in LINES[: sequence - 1])

        page = opens(PAGE[:start] + flipped + PAGE[start + len(text) :])

        assert page.verdict["valid"] is False, (sequence, place, bit)
        assert page.verdict["first_broken_at"] == sequence, (sequence, place, bit, page.codes)


def bundled() -> bytes:
    """The page of a bundle: part of a range, key statements, proofs for the ledger's log, and a witness."""
    world = grown()
    cosignature(world, line(world).line.encode())
    return Unpacked.of(exported(world.bucket, Range(start_seq=2, end_seq=3))).files["evidence.html"]


ANCHORED = (b'"anchored"', b'"covers"', b'"anchors"', b'"kind"', b'"name"', b'"data"')
"""Members of external anchors, a line each. Of `proof` only the name can be changed without a finding."""


def test_any_byte_of_checkpoints_keys_subtrees_and_proofs_turns_the_page_red(opens: Opener) -> None:
    random, whole = Random(6), bundled()
    start = whole.index(b'<template id="facts">') + len(b'<template id="facts">')
    places = [
        place
        for found in re.finditer(rb'(?: *"proof": )?([^\n]*\n)', whole[start : whole.index(b"</template>", start)])
        # An external anchor counts once a key is named for it; until then it can be left out.
        if not any(word in found[0] for word in (b": null", *ANCHORED))
        for place in range(start + found.start(1), start + found.end())
        if whole[place : place + 1].strip()  # JSON does not care how much space is between its members
    ]
    for place in random.sample(places, 40):
        bit = 1 << random.randrange(7)
        page = opens(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])

        assert page.text("#verdict-headline").startswith("Not valid"), (whole[place - 30 : place + 1], bit)
        assert page.page.get_attribute("#verdict", "data-state") == "bad"


def test_a_style_sheet_that_was_changed_is_not_used_and_not_passed_over(opens: Opener) -> None:
    place = PAGE.index(b"--paper: light")
    page = opens(PAGE[:place] + b"--raper" + PAGE[place + 7 :])

    assert page.verdict["valid"] is None
    assert "style sheet" in page.text("#verdict-text")


# -- a root says less than a record does ----------------------------------------------------------------


def rewritten(sequence: int) -> bytes:
    """The record at the end of the chain, replaced by another one with a good checksum of its own."""
    parts = parts_of(chain(sequence), sizes=[5, sequence] if sequence > 5 else [sequence])
    old = chain(sequence)[-1]
    event = {"event_type": "AGENT_DECISION", "action": "approve"}
    head = chain(sequence)[-2].head
    forged = sealed(event, head=head, now_ms=old.timestamp_ms, random=Random(1))
    return render(replace(parts, records=[*parts.records[:-1], stored_object(forged)]))


def test_a_root_alone_names_the_records_that_its_mismatch_can_come_from(opens: Opener) -> None:
    page = opens(rewritten(12))

    assert page.codes == [("CHECKPOINT_MISMATCH", 12)]
    assert page.text("#verdict-headline") == "Not valid: broken in records 6 to 12"
    assert "Before that, records 1 to 5 show none; signed roots confirm those up to 5" in page.text("#verdict-text")
    assert "The cause is in records 6 to 12: those before are under an earlier root" in page.text("#failures")
    rows = page.page.locator("#list .row.record")
    states = [str(rows.nth(number).get_attribute("class")).split()[2] for number in range(12)]
    assert states == ["ok"] * 5 + ["doubt"] * 7
    assert page.text("#detail-heading") == "Record 6"
    assert "CHECKPOINT_MISMATCH" in page.text("#detail .findings")
    page.page.check("#filter-broken")
    page.page.wait_for_selector("#tally:has-text('7 of 12 records')")


def test_a_root_over_one_record_more_than_the_last_names_that_record(opens: Opener) -> None:
    page = opens(rewritten(6))

    assert page.codes == [("CHECKPOINT_MISMATCH", 6)]
    assert page.text("#verdict-headline") == "Not valid: broken at record 6"
    assert page.page.locator("#list .row.record.bad .number").all_inner_texts() == ["6"]


def test_without_an_earlier_root_nothing_narrows_it_down(opens: Opener) -> None:
    page = opens(rewritten(4))

    assert page.text("#verdict-headline") == "Not valid: broken in records 1 to 4"
    assert "no earlier root here narrows it down" in page.text("#failures")


def test_a_range_from_the_middle_may_be_wrong_around_it(opens: Opener) -> None:
    parts = parts_of(chain(40), first=10, last=20, sizes=[5, 15, 36])
    other = tuple(replace(one, root=bytes(32)) for one in parts.right)
    left = tuple(replace(one, root=bytes(32)) for one in parts.left)

    after = opens(replace(parts, right=other)).text("#failures")
    before = opens(replace(parts, left=left))

    assert "The cause is in records 16 to 20, or in what this file says of the tree after them: those before" in after
    assert "records 10 to 15, or in what this file says of the tree before them: no earlier" in before.text("#failures")
    assert before.text("#verdict-headline") == "Not valid: broken in records 10 to 15"


@pytest.mark.parametrize(
    ("old", "new"), [('"org_id":', '"org_id'), ('"checkpoints": [', '"checkpoints": {'), ('"first_sequence": 1', '""')]
)
def test_a_page_that_cannot_read_itself_is_not_valid(old: str, new: str, opens: Opener) -> None:
    facts = PAGE.index(b'<template id="facts">')
    broken = PAGE[:facts] + PAGE[facts:].replace(old.encode(), new.encode(), 1)

    page = opens(broken)

    assert page.text("#verdict-headline") == "Not valid: this page is damaged"


def test_a_script_that_was_changed_does_not_run(opens: Opener) -> None:
    changed = PAGE.replace(b"verdict.valid === true) return", b"true) return")
    assert changed != PAGE
    page = opens(PAGE)
    path = page.page.url.removeprefix("file://")
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(changed)

    page.page.reload(wait_until="load")

    assert page.text("#verdict-headline") == "Verifying …"
    assert "Nothing has been checked yet" in page.text("#verdict-text")
    assert any("Content Security Policy" in complaint for complaint in page.complaints)
