# SPDX-License-Identifier: Apache-2.0
"""CSV (RFC 4180, UTF-8) that a spreadsheet can open without running anything that a record says.

Invariant: no cell begins with a character that a spreadsheet takes for the beginning of a formula. Such a cell gets an
apostrophe before it (OWASP, CSV Injection), and so does one that begins with an apostrophe: taking one away from the
front of a cell gives back what the record says.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import BinaryIO

from indelible.views.rows import COLUMNS, row
from indelible.views.source import Entry, Proof

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")
_PROOF = ("bundle_sha256", "bundle_range", "bundle_head", "bundle_valid")


def write(found: Iterable[Entry], proof: Proof, out: BinaryIO) -> None:
    """The last columns are the same in each row: what proves it, and whether it was found to be whole."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([*COLUMNS, *_PROOF])
    whole = f"{proof.ledger_name}/{proof.org_id} {proof.first_sequence} to {proof.last_sequence}"
    proved = [cell(value) for value in (proof.bundle_sha256, whole, proof.head, proof.valid)]
    for entry in found:
        cells = row(entry)
        writer.writerow([*(cell(cells[name]) for name in COLUMNS), *proved])
    text.detach()


def cell(value: object) -> str:
    """What stands in the cell for a value."""
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text
