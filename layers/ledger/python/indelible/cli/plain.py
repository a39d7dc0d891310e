# SPDX-License-Identifier: Apache-2.0
"""Text that others wrote, made fit for a terminal.

Invariant: nothing in it moves the cursor, hides, or turns the reading order; such characters are spelled out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

_WIDEST = 1 << 20
_HIDING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class Output(Console):
    """stdout. That its reader has left is no verdict, as the status 1 that rich would end with would be."""

    def __init__(self) -> None:
        super().__init__(highlight=False, soft_wrap=True)

    def on_broken_pipe(self) -> None:
        """Raises BrokenPipeError."""
        raise BrokenPipeError


def plain(value: object, style: str = "") -> Text:
    """Any value in one line, without markup; control characters as `\\x1b`."""
    return Text("".join(map(_shown, str(value))), style=style)


def plain_lines(text: str) -> Text:
    """As `plain`, but lines stay lines."""
    return Text(spelled_out(text))


def spelled_out(text: str | bytes) -> str:
    """As `plain_lines`, for what is not printed by rich; bytes that are no UTF-8 as `\xff`."""
    found = text if isinstance(text, str) else text.decode(errors="backslashreplace")
    return "\n".join("".join(map(_shown, line)) for line in found.split("\n"))


def rows(console: Console, named: Iterable[tuple[str, object]], *, style: str = "") -> None:
    """Names and values in two columns; a value is never cut off, however narrow the terminal."""
    for name, value in named:
        console.print(Text(f"  {name:<12} ", style=style) + plain(value), soft_wrap=True)


def print_table(table: Table) -> None:
    """On stdout, and nothing is cut off: cells fold in a terminal; in a file or a pipe each row is one line."""
    output = Output()
    for column in table.columns:
        column.overflow = "fold"
    if not output.is_terminal:
        output.width = _WIDEST
    output.print(table, soft_wrap=False)


def _shown(character: str) -> str:
    if unicodedata.category(character) in _HIDING:
        code = ord(character)
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return character
