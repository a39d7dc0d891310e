# SPDX-License-Identifier: Apache-2.0
"""The documentation as data: fenced blocks with what their markers say, links, tables.

A fenced block may have a marker, an HTML comment on the line before it: `run` (a test runs it as printed), `not run:
why`, `answer` (what the block before it prints, in form or to the letter), `vector` (bytes of tests/vectors).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/vectors/*.md")])

_BLOCK = re.compile(r"(?:^<!-- (?P<marker>[^\n]+) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
_ROW = re.compile(r"^\| (.+) \|$", re.M)
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.M)


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    marker: str
    text: str


def blocks(document: Path) -> list[Block]:
    """The fenced blocks of a document, in order."""
    found = _BLOCK.finditer(document.read_text(encoding="utf-8"))
    return [Block(match["language"], match["marker"] or "", match["text"]) for match in found]


def prose(document: Path) -> str:
    """The text without its fenced blocks."""
    return _BLOCK.sub("", document.read_text(encoding="utf-8"))


def links(document: Path) -> Iterator[str]:
    """The targets of all links outside fenced blocks."""
    yield from _LINK.findall(prose(document))


def anchors(document: Path) -> set[str]:
    """The fragments that headings give, as GitHub makes them."""
    headings = (re.sub(r"[`*]", "", heading).strip().lower() for heading in _HEADING.findall(prose(document)))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


def table(document: Path, first_column: str) -> list[list[str]]:
    """The rows of the table whose header begins with `first_column`, split into cells."""
    rows = prose(document).partition(f"\n| {first_column} |")[2].splitlines()[2:]
    found = []
    for row in rows:
        if not row.startswith("|"):
            break
        found.append([cell.strip() for cell in row.strip("| ").split(" | ")])
    assert found, f"no table '{first_column}' in {document.name}"
    return found
