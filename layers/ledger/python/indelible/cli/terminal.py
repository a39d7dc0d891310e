# SPDX-License-Identifier: Apache-2.0
"""Printing text from records and files, which may be hostile, to a terminal.

Invariant: no printed character moves the cursor, is invisible or changes the reading direction; such characters are
printed as escapes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

_UNLIMITED_WIDTH = 1 << 20
_ESCAPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class Output(Console):
    """Standard output. Raises BrokenPipeError where rich would exit with status 1, which is the status of a verdict."""

    def __init__(self) -> None:
        super().__init__(highlight=False, soft_wrap=True)

    def on_broken_pipe(self) -> None:
        """Raises BrokenPipeError."""
        raise BrokenPipeError


def safe_line(value: object, style: str = "") -> Text:
    """The value as one line of rich text, without markup; a newline is printed as `\\x0a`."""
    return Text("".join(map(_escape, str(value))), style=style)


def safe_text(text: str | bytes) -> str:
    """The text with its lines kept. Bytes that are not UTF-8 are printed as `\\xff`."""
    decoded = text if isinstance(text, str) else text.decode(errors="backslashreplace")
    return "\n".join("".join(map(_escape, line)) for line in decoded.split("\n"))


def counted(number: int, noun: str) -> str:
    """`1 record`, `1,204 records`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def print_rows(console: Console, rows: Iterable[tuple[str, object]], *, style: str = "") -> None:
    """Names and values in two columns. Values are never cut off, however narrow the terminal is."""
    for name, value in rows:
        console.print(Text(f"  {name:<12} ", style=style) + safe_line(value), soft_wrap=True)


def print_table(table: Table) -> None:
    """To standard output, with nothing cut off: cells wrap on a terminal; in a file or a pipe each row is one line."""
    output = Output()
    for column in table.columns:
        column.overflow = "fold"
    if not output.is_terminal:
        output.width = _UNLIMITED_WIDTH
    output.print(table, soft_wrap=False)


def _escape(character: str) -> str:
    if unicodedata.category(character) in _ESCAPED_CATEGORIES:
        code = ord(character)
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return character
