# SPDX-License-Identifier: Apache-2.0
"""The views by their names, and how one is made from a bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Protocol, TypeAlias

from indelible.domain.bundle import Manifest
from indelible.views import aat, csv_table, jsonl, ocsf
from indelible.views.source import Entry, Proof, entries

View: TypeAlias = Callable[[Iterable[Entry], Proof, BinaryIO], None]

VIEWS: dict[str, View] = {
    "jsonl": jsonl.write,
    "csv": csv_table.write,
    "aat": aat.write,
    "ocsf": ocsf.write,
}
"""Of the API. `indelible export` has another one, which needs a library that no function has."""


class Packed(Protocol):
    """What is used of a bundle that is being written."""

    @property
    def manifest(self) -> Manifest:
        """What it holds."""
        ...

    def lines(self) -> Iterable[tuple[bytes, bytes]]:
        """Each line of `records.jsonl` with that of `receipts.jsonl`."""
        ...


def write(
    view: View, made: Packed, out: BinaryIO, *, bundle_sha256: str, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Write a view of this bundle. `progress` is told the number of records written so far."""
    view(_counted(entries(made.lines()), progress), Proof.of(made.manifest, bundle_sha256), out)


def _counted(found: Iterable[Entry], progress: Callable[[int], None]) -> Iterator[Entry]:
    for number, entry in enumerate(found):
        progress(number)
        yield entry
