# SPDX-License-Identifier: Apache-2.0
"""The views by their names, and how one is made from a bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from typing import BinaryIO, Protocol, TypeAlias

from indelible.domain.bundle import Manifest
from indelible.views import aat, csv_table, jsonl, ocsf
from indelible.views.source import Entry, NotInstalled, Proof, entries


class Packed(Protocol):
    """What is used of a bundle that is being written."""

    @property
    def manifest(self) -> Manifest:
        """What it holds."""
        ...

    def lines(self) -> Iterable[tuple[bytes, bytes]]:
        """Each line of `records.jsonl` with that of `receipts.jsonl`."""
        ...

    def file(self, path: str) -> bytes | None:
        """One of its small files; None where it has none of this name."""
        ...


View: TypeAlias = Callable[[Iterable[Entry], Proof, Packed, BinaryIO], None]


def of_records(write: Callable[[Iterable[Entry], Proof, BinaryIO], None]) -> View:
    """A view that needs nothing of a bundle but its records and its hash."""
    return lambda found, proof, _, out: write(found, proof, out)


def _pdf(found: Iterable[Entry], proof: Proof, made: Packed, out: BinaryIO) -> None:
    # Here, because it loads a library that takes longer to load than everything else together.
    from indelible.views import pdf_summary

    pdf_summary.write(found, proof, made, out)


VIEWS: dict[str, View] = {
    "jsonl": of_records(jsonl.write),
    "csv": of_records(csv_table.write),
    "aat": of_records(aat.write),
    "ocsf": of_records(ocsf.write),
    "pdf": _pdf,
}
"""Of the API. `indelible export` has another one, which needs a library that no function has."""

_LIBRARIES = {"parquet": "pyarrow", "pdf": "reportlab"}
"""Which view needs which; the extra that has it is called as the view."""


def require(form: str) -> None:
    """Raises NotInstalled for a view whose library is not there: before a whole range is read for it."""
    library = _LIBRARIES.get(form)
    if library is not None and find_spec(library) is None:
        raise NotInstalled(f"{form} needs {library}: pip install '.[{form}]' in a checkout of indelible")


def write(
    view: View, made: Packed, out: BinaryIO, *, bundle_sha256: str, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Write a view of this bundle. `progress` is told the number of records written so far."""
    view(_counted(entries(made.lines()), progress), Proof.of(made.manifest, bundle_sha256), made, out)


def _counted(found: Iterable[Entry], progress: Callable[[int], None]) -> Iterator[Entry]:
    for number, entry in enumerate(found):
        progress(number)
        yield entry
