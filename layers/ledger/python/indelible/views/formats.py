# SPDX-License-Identifier: Apache-2.0
"""The views by name, and writing one from a bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from typing import BinaryIO, Protocol, TypeAlias

from indelible.domain.bundle import Manifest
from indelible.views import aat, csv_table, jsonl, ocsf
from indelible.views.source import Entry, NotInstalled, Proof, entries


class Packed(Protocol):
    """What views use of a bundle."""

    @property
    def manifest(self) -> Manifest:
        """The bundle's manifest."""
        ...

    def lines(self) -> Iterable[tuple[bytes, bytes]]:
        """Each line of `records.jsonl`, with its line of `receipts.jsonl`."""
        ...

    def file(self, path: str) -> bytes | None:
        """The content of one of its small files; None if it has no file of this name."""
        ...


View: TypeAlias = Callable[[Iterable[Entry], Proof, Packed, BinaryIO], None]


def of_records(write: Callable[[Iterable[Entry], Proof, BinaryIO], None]) -> View:
    """A view that needs only the bundle's records and its hash."""
    return lambda found, proof, _, out: write(found, proof, out)


def _pdf(found: Iterable[Entry], proof: Proof, made: Packed, out: BinaryIO) -> None:
    # Imported here because reportlab takes longer to load than everything else together.
    from indelible.views import pdf_summary

    pdf_summary.write(found, proof, made, out)


VIEWS: dict[str, View] = {
    "jsonl": of_records(jsonl.write),
    "csv": of_records(csv_table.write),
    "aat": of_records(aat.write),
    "ocsf": of_records(ocsf.write),
    "pdf": _pdf,
}
"""The views of the API. `indelible export` adds Parquet, whose library is not deployed to any function."""

_LIBRARIES = {"parquet": "pyarrow", "pdf": "reportlab"}
"""Libraries of views. The extra that installs one has the name of the view."""


def require(form: str) -> None:
    """Raises NotInstalled for a view whose library is missing. To be called before the range is read."""
    library = _LIBRARIES.get(form)
    if library is not None and find_spec(library) is None:
        raise NotInstalled(f"{form} needs {library}: pip install '.[{form}]' in a checkout of indelible")


def write(
    view: View, made: Packed, out: BinaryIO, *, bundle_sha256: str, progress: Callable[[int], None] = lambda _: None
) -> None:
    """Write a view of this bundle. `progress` is called with the number of records written so far."""
    view(_report_progress(entries(made.lines()), progress), Proof.of(made.manifest, bundle_sha256), made, out)


def _report_progress(found: Iterable[Entry], progress: Callable[[int], None]) -> Iterator[Entry]:
    for number, entry in enumerate(found):
        progress(number)
        yield entry
