# SPDX-License-Identifier: Apache-2.0
"""The building blocks of the PDF's pages: styles, tables, and text from records, which may be hostile.

Invariant: every character is shown by its own glyph or as its code point. Text of a record is never markup, never
invisible, and never changes the reading direction. Characters without a glyph in Open Sans (which has Latin, Greek and
Cyrillic) are shown as code points, and so are right-to-left scripts, which reportlab would print in reverse.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

import ttf_opensans  # type: ignore[import-untyped]
from reportlab.lib.colors import HexColor  # type: ignore[import-untyped]
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
from reportlab.lib.units import mm  # type: ignore[import-untyped]
from reportlab.pdfbase.pdfmetrics import getFont, registerFont  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]
from reportlab.platypus import Paragraph, Table, TableStyle  # type: ignore[import-untyped]

from indelible.views.summary import Tally

REGULAR, BOLD = "OpenSans", "OpenSans-SemiBold"
registerFont(TTFont(REGULAR, str(ttf_opensans.OPENSANS_REGULAR.path)))
registerFont(TTFont(BOLD, str(ttf_opensans.OPENSANS_SEMIBOLD.path)))

MARGIN = 20 * mm
PADDING = 6
"""Points that reportlab always leaves inside a frame."""
WIDTH = A4[0] - 2 * MARGIN

INK, MUTED, RULE, BAR = HexColor("#1c1d20"), HexColor("#5c5d63"), HexColor("#dcd8cf"), HexColor("#b9cbe2")
GOOD, GOOD_GROUND = HexColor("#17603a"), HexColor("#e8f2ea")
BAD, BAD_GROUND = HexColor("#a11d1d"), HexColor("#fbe9e7")

_LABEL = 38 * mm
_COUNT, _SHARE, _BAR = 20 * mm, 18 * mm, 34 * mm
_HIDDEN_CATEGORIES = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_RIGHT_TO_LEFT = ("R", "AL", "AN")

TITLE = ParagraphStyle("title", fontName=BOLD, fontSize=20, leading=26, textColor=INK)
SUBTITLE = ParagraphStyle("subtitle", fontName=REGULAR, fontSize=10.5, leading=15, textColor=MUTED, spaceAfter=4 * mm)
HEADING = ParagraphStyle(
    "heading", fontName=BOLD, fontSize=12, leading=16, textColor=INK, spaceBefore=6 * mm, spaceAfter=1.5 * mm
)
BODY = ParagraphStyle("body", fontName=REGULAR, fontSize=9, leading=12.5, textColor=INK, splitLongWords=1)
STRONG = ParagraphStyle("strong", parent=BODY, fontName=BOLD)
NOTE = ParagraphStyle("note", parent=BODY, textColor=MUTED, fontSize=8, leading=11.5, spaceBefore=1 * mm)
POINT = ParagraphStyle("point", parent=BODY, leftIndent=4 * mm, spaceAfter=0.8 * mm, bulletFontName=REGULAR)
NUMBER = ParagraphStyle("number", parent=BODY, alignment=2)
HEAD = ParagraphStyle("head", parent=BODY, textColor=MUTED, fontSize=7.5, leading=10)
HEAD_NUMBER = ParagraphStyle("head-number", parent=HEAD, alignment=2)
CODE = ParagraphStyle("code", parent=BODY, fontName="Courier", fontSize=8.5, leading=12, leftIndent=4 * mm)


def legible(text: str) -> str:
    """The text, with characters that this document cannot show as they are replaced by their code points."""
    glyphs = getFont(REGULAR).face.charToGlyph
    runs = groupby(text, key=lambda one: _is_shown(one, glyphs))
    return "".join("".join(run) if shown else _code_points(run) for shown, run in runs)


def _is_shown(character: str, glyphs: dict[int, int]) -> bool:
    if unicodedata.category(character) in _HIDDEN_CATEGORIES or unicodedata.bidirectional(character) in _RIGHT_TO_LEFT:
        return False
    return ord(character) in glyphs


def _code_points(run: Iterable[str]) -> str:
    return f"‹{' '.join(f'U+{ord(one):04X}' for one in run)}›"


def words(text: str, style: Any = BODY) -> Any:  # noqa: ANN401 -- reportlab has no types
    """A paragraph of any text, without markup."""
    return Paragraph(escape(legible(text)), style)


def point(text: str) -> Any:  # noqa: ANN401
    """An item of a bulleted list."""
    return Paragraph(escape(legible(text)), POINT, bulletText="•")


def badge(title: str, lines: Sequence[str], *, good: bool) -> Any:  # noqa: ANN401
    """A verdict in a coloured box, with lines of explanation."""
    colour, ground = (GOOD, GOOD_GROUND) if good else (BAD, BAD_GROUND)
    style = ParagraphStyle("verdict", parent=STRONG, textColor=colour, fontSize=12, leading=17)
    table = Table([[[words(title, style), *(words(line) for line in lines)]]], colWidths=[WIDTH])
    table.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, -1), ground),
                ("LINEBEFORE", (0, 0), (0, -1), 2.5, colour),
                ("LEFTPADDING", (0, 0), (-1, -1), 4 * mm),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5 * mm),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3 * mm),
            ]
        )
    )
    return table


def facts(rows: Iterable[tuple[str, str]]) -> Any:  # noqa: ANN401
    """Names and values in two columns."""
    label = ParagraphStyle("label", parent=BODY, textColor=MUTED)
    table = Table([[words(name, label), words(value)] for name, value in rows], colWidths=[_LABEL, WIDTH - _LABEL])
    table.setStyle(TableStyle([*_RULED, ("LEFTPADDING", (0, 0), (0, -1), 0)]))
    return table


def tally(name: str, counted: Tally, *, most: int, of: int) -> Any:  # noqa: ANN401
    """A table of the `most` frequent names with their counts and their shares of `of`; one row for all others."""
    listed = counted.most(most)
    rest = counted.total - sum(count for _, count in listed)
    beyond = [(f"{counted.kinds - len(listed):,} others", rest)] if rest else []
    rows = [
        [words(one), words(f"{count:,}", NUMBER), words(f"{count / of:.1%}", NUMBER), _bar(count / of)]
        for one, count in (*listed, *beyond)
    ]
    head = [words(name, HEAD), words("records", HEAD_NUMBER), words("share", HEAD_NUMBER), ""]
    return _listed([head, *rows], [WIDTH - _COUNT - _SHARE - _BAR, _COUNT, _SHARE, _BAR])


def listing(heads: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[float]) -> Any:  # noqa: ANN401
    """A table. `widths` are in millimetres for all columns but the last, which takes the remaining width."""
    columns = [width * mm for width in widths]
    cells = [[words(cell) for cell in row] for row in rows]
    return _listed([[words(head, HEAD) for head in heads], *cells], [*columns, WIDTH - sum(columns)])


_RULED: list[Any] = [
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
    ("TOPPADDING", (0, 0), (-1, -1), 0.6 * mm),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1.1 * mm),
    ("RIGHTPADDING", (0, 0), (-1, -1), 2 * mm),
]


def _listed(rows: list[list[Any]], widths: list[float]) -> Any:  # noqa: ANN401
    table = Table(rows, colWidths=widths, repeatRows=1)
    table.setStyle(TableStyle([*_RULED, ("LEFTPADDING", (0, 0), (0, -1), 0)]))
    return table


def _bar(share: float) -> Any:  # noqa: ANN401
    room = _BAR - 6 * mm
    bar = Table([[""]], colWidths=[max(0.3 * mm, room * share)], rowHeights=[2.4 * mm], hAlign="LEFT")
    bar.setStyle(TableStyle([("BACKGROUND", (0, 0), (-1, -1), BAR)]))
    return bar
