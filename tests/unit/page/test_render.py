# SPDX-License-Identifier: Apache-2.0
"""Records can be recovered from the page's HTML, and nothing in them can be executed."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from indelible.domain.findings import StoredObject
from indelible.domain.merkle import Subtree, leaf_hash, root_of
from indelible.domain.tiles import EMPTY, grow
from indelible.page.parts import PageCheckpoint, PageParts, subtrees_around
from indelible.page.render import SCRIPTS, STYLES, render
from tests.fakes.chains import ORG, build_chain
from tests.fakes.rfc6962 import root_of_leaves

CHAIN = build_chain(3)
PARTS = PageParts(
    ledger_name="indelible",
    org_id=ORG,
    first_sequence=1,
    records=[StoredObject(r.s3_key, f"v{r.sequence}", r.data, stored_sha256=r.tx_hash) for r in CHAIN],
)


class Found(HTMLParser):
    """Collects the text of every element with an id, and all tags."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: dict[str, str] = {}
        self.tags: list[str] = []
        self.policy = ""
        self._open: str | None = None
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self._open = given.get("id") or tag
        self.texts.setdefault(self._open, "")
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""

    def handle_endtag(self, tag: str) -> None:
        self._open = None

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open] += data


def embedded(data: bytes) -> bytes:
    """What the page's script reads for a record of these bytes."""
    page = render(replace(PARTS, records=[StoredObject(CHAIN[0].s3_key, None, data)]))
    line = Found(page).texts["records"].removesuffix("\n").partition("\t")[2]
    return base64.b64decode(line.removeprefix("base64:")) if line.startswith("base64:") else line.encode()


def test_the_same_parts_give_the_same_bytes() -> None:
    assert render(PARTS) == render(PARTS)


def test_every_record_comes_back_with_what_the_store_says_of_it() -> None:
    lines = Found(render(PARTS)).texts["records"].splitlines()

    assert [line.partition("\t")[2].encode() for line in lines] == [record.data for record in CHAIN]
    assert json.loads(lines[1].partition("\t")[0]) == [CHAIN[1].s3_key, CHAIN[1].tx_hash, "v2"]


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":"</template></script><script>alert(1)</script>"}',
        b'{"a":"&lt;&amp;amp;&#0;<!--{{records}}{{script}}"}',
        '{"a":"\u202e\u2028\ufeff\x7f\x85\ufffe😀"}'.encode(),
        b"",
        b"-",
        b"base64:AAAA",
        b'{"a":1}\n',
        b'{"a":"\r"}',
        b'{"a":"\x00"}',
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        b"{" + b"x" * 262_143,
    ],
    ids=repr,
)
def test_any_bytes_come_back(data: bytes) -> None:
    assert embedded(data) == data


def test_a_key_with_neither_checksum_nor_content_is_shown_too() -> None:
    page = render(replace(PARTS, records=[StoredObject("acme-corp/2026/03/20/a\tb\n<i>.json", None, None)]))
    about, _, content = Found(page).texts["records"].partition("\t")

    assert json.loads(about) == ["acme-corp/2026/03/20/a\tb\n<i>.json", None, None]
    assert content == "-\n"


def test_nothing_of_a_record_becomes_an_element() -> None:
    hostile = b'{"a":"<img src=x onerror=alert(1)></template><iframe>"}'
    tags = Found(render(replace(PARTS, records=[StoredObject("k", None, hostile)]))).tags

    assert tags == Found(render(PARTS)).tags
    assert not {"img", "iframe", "link", "object", "embed"} & set(tags)


def test_the_policy_names_the_one_script_and_lets_nothing_out() -> None:
    page = render(PARTS).decode()
    scripts, styles = (re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL) for tag in ("script", "style"))
    policy = Found(page.encode()).policy.split("; ")

    assert len(scripts) == len(styles) == 1
    assert policy == [
        "default-src 'none'",
        f"script-src '{_source(scripts[0])}'",
        f"style-src '{_source(styles[0])}'",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
    assert page.index("Content-Security-Policy") < page.index("<style>"), "a policy holds for what comes after it"


def test_the_sources_are_all_in_and_make_no_html() -> None:
    page = render(PARTS).decode()

    assert len(SCRIPTS) == len(set(SCRIPTS))
    assert len(STYLES) == len(set(STYLES))
    for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "fetch("):
        assert sink not in page, sink


def test_the_facts_come_back() -> None:
    note = PageCheckpoint(3, "indelible/acme-corp\n3\n…\n".encode())
    broken = PageCheckpoint(4, b"\xff\xfe")
    page = render(replace(PARTS, checkpoints=(note, broken), keys=(b"a statement\n",)))
    facts = json.loads(html.unescape(Found(page).texts["facts"]))

    assert facts["checkpoints"][0] == {"size": 3, "note": note.note.decode(), "ledger_proof": None}
    assert facts["checkpoints"][1]["note"] == {"base64": "//4="}
    assert facts["keys"] == ["a statement\n"]


@pytest.mark.parametrize(
    ("first", "last", "size"), [(1, 300, 300), (1, 10, 700), (257, 600, 700), (2, 2, 3), (5, 9, 8)]
)
def test_the_tree_around_a_range_gives_the_root(first: int, last: int, size: int) -> None:
    leaves = [hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(max(size, last))]
    _, files = grow(EMPTY, leaves[:size])
    stored = {file.path: file.data for file in files}

    left, right = subtrees_around(first, last, size, stored.__getitem__)

    inside = [Subtree(0, leaf_hash(leaf)) for leaf in leaves[first - 1 : min(last, size)]]
    assert root_of([*left, *inside, *right]) == root_of_leaves(leaves[:size])
    assert len(left) + len(right) <= 2 * size.bit_length()


def _source(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
