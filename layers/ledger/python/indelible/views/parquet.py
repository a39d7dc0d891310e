# SPDX-License-Identifier: Apache-2.0
"""Parquet, with pyarrow (the extra `parquet`). The file's metadata names the bundle, under the key `indelible`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, BinaryIO

from indelible.views.rows import BOOLEANS, COLUMNS, FLOATS, INTEGERS, row
from indelible.views.source import Entry, Proof

_ROW_GROUP = 10_000


def write(entries: Iterable[Entry], proof: Proof, out: BinaryIO) -> None:
    """Write a table of all columns."""
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    kinds: dict[str, Any] = dict.fromkeys(INTEGERS, pa.int64())
    kinds |= dict.fromkeys(FLOATS, pa.float64()) | dict.fromkeys(BOOLEANS, pa.bool_())
    schema = pa.schema(
        [(name, kinds.get(name, pa.string())) for name in COLUMNS],
        metadata={"indelible": json.dumps(proof.as_dict())},
    )
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for group in _groups(entries):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))


def _groups(entries: Iterable[Entry]) -> Iterator[list[dict[str, Any]]]:
    rows = (row(entry) for entry in entries)
    while group := list(islice(rows, _ROW_GROUP)):
        yield group
