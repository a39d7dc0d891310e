# SPDX-License-Identifier: Apache-2.0
"""CSV (RFC 4180, UTF-8) that is safe to open in a spreadsheet.

Invariant: no cell begins with a character that starts a formula in a spreadsheet. Such a cell is prefixed with an
apostrophe (OWASP, CSV Injection), and so is one that begins with an apostrophe, so that removing one leading apostrophe
restores the record's value.
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


def write(entries: Iterable[Entry], proof: Proof, out: BinaryIO) -> None:
    """Write a header, and a row for each record. The last columns, which name the bundle, are the same in each row."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([*COLUMNS, *_PROOF])
    bundle_range = f"{proof.ledger_name}/{proof.org_id} {proof.first_sequence} to {proof.last_sequence}"
    proved_by = [cell(value) for value in (proof.bundle_sha256, bundle_range, proof.head, proof.valid)]
    for entry in entries:
        cells = row(entry)
        writer.writerow([*(cell(cells[name]) for name in COLUMNS), *proved_by])
    text.detach()


def cell(value: object) -> str:
    """The text of a cell for a value."""
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text
