# SPDX-License-Identifier: Apache-2.0
"""The views by the names that the command line knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import BinaryIO, TypeAlias

from indelible.views import aat, csv_table, jsonl, ocsf, parquet
from indelible.views.source import Entry, Proof

View: TypeAlias = Callable[[Iterable[Entry], Proof, BinaryIO], None]

VIEWS: dict[str, View] = {
    "jsonl": jsonl.write,
    "csv": csv_table.write,
    "parquet": parquet.write,
    "aat": aat.write,
    "ocsf": ocsf.write,
}
