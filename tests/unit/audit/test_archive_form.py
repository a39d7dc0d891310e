# SPDX-License-Identifier: Apache-2.0
"""A bundle has one form: nothing lies before, between or behind its entries, and every tool sees the same ones."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from indelible.audit.bundle import BundleSource
from indelible.audit.source import NotEvidence
from indelible.audit.stored_zip import StoredZip
from indelible.audit.verify import AuditRequest, audit
from indelible.domain import archive as archives
from indelible.domain import bundle
from indelible.domain.archive import entry_of
from tests.fakes.audits import KEY, exported
from tests.fakes.repacked import Lie, files_of, listing, packed
from tests.fakes.world import World

HIDDEN = b'{"FORGED":1}\n'
GREAT = (1 << 30, 1 << 40, 1 << 50, 1 << 63, (1 << 64) - 1)


@cache
def files() -> dict[str, bytes]:
    world = World()
    world.record(1, 2, 3)
    world.anchored()
    return files_of(exported(world.bucket))


def refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(NotEvidence) as said:
        BundleSource(path)
    return str(said.value)


def test_one_that_tells_no_lies(tmp_path: Path) -> None:
    (tmp_path / "evidence.zip").write_bytes(Lie().told(files()))
    assert audit(BundleSource(tmp_path / "evidence.zip"), AuditRequest(key=KEY, strict=True)).valid


@pytest.mark.parametrize(
    "lie",
    [
        Lie(before=b"<html><script>alert(1)</script>"),
        Lie(before=b"PK\x03\x04"),
        Lie(between={bundle.RECORDS: archives.local_header(entry_of(bundle.RECORDS, HIDDEN)) + HIDDEN}),
        Lie(between={bundle.README: b"\0"}),
        Lie(named={bundle.RECORDS: "receipts.json"}),
        Lie(sizes={bundle.README: 1}),
        Lie(comment=b"x" * 1000),
        Lie(behind=b"\n"),
        Lie(behind=b"PK\x05\x06" + bytes(18)),
    ],
    ids=[
        "a page before it",
        "a header before it",
        "hidden records",
        "a byte between",
        "another name in the header",
        "a smaller size",
        "a comment",
        "a byte behind it",
        "an empty archive behind it",
    ],
)
def test_bytes_that_belong_to_no_entry(tmp_path: Path, lie: Lie) -> None:
    said = refused(tmp_path / "evidence.zip", lie.told(files()))
    assert "was packed anew" in said or "is not a ZIP archive" in said


def test_entries_that_overlap(tmp_path: Path) -> None:
    both = listing({**files(), bundle.RECEIPTS: files()[bundle.RECORDS]})
    refused(tmp_path / "evidence.zip", Lie(shared={bundle.RECEIPTS: bundle.RECORDS}).told(both))


@pytest.mark.parametrize("size", GREAT)
@pytest.mark.parametrize("name", [bundle.MANIFEST, bundle.README, bundle.RECORDS, bundle.RECEIPTS])
def test_sizes_beyond_the_file_cost_nothing(tmp_path: Path, name: str, size: int) -> None:
    assert "longer than the archive" in refused(tmp_path / "evidence.zip", Lie(sizes={name: size}).told(files()))


@pytest.mark.parametrize("name", [bundle.MANIFEST, bundle.README, bundle.RECORDS])
def test_a_crc_that_is_not_the_content_s(tmp_path: Path, name: str) -> None:
    """No reader of ZIP files would unpack it. The manifest's hash is of the content alone."""
    (tmp_path / "evidence.zip").write_bytes(Lie(crcs={name: 7}).told(files()))

    verdict = audit(BundleSource(tmp_path / "evidence.zip"), AuditRequest(key=KEY, strict=True))

    assert [(failure.code, failure.s3_key) for failure in verdict.failures] == [("CONTENT_MISMATCH", name)]


@pytest.mark.parametrize("cut", [1, 21, 22, 100, 5000])
def test_a_file_that_was_cut_off(tmp_path: Path, cut: int) -> None:
    refused(tmp_path / "evidence.zip", packed(files())[:-cut])


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06" + bytes(18), b"PK\x05\x06" + b"\xff" * 18, bytes(200)])
def test_what_is_hardly_a_file(tmp_path: Path, data: bytes) -> None:
    refused(tmp_path / "evidence.zip", data)


def zipped(add: Callable[[zipfile.ZipFile], None]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        add(made)
    return out.getvalue()


@pytest.mark.parametrize("name", ["../../etc/x", "/etc/x", "keys/../x", "keys/0001/", "caf\u00e9", "records.jsonl\0x"])
def test_names_that_no_file_of_a_bundle_has(tmp_path: Path, name: str) -> None:
    refused(tmp_path / "evidence.zip", zipped(lambda made: made.writestr(zipfile.ZipInfo(name), b"x")))


def test_what_was_packed_anew_and_compressed(tmp_path: Path) -> None:
    def add(made: zipfile.ZipFile) -> None:
        for name, data in files().items():
            made.writestr(name, data, zipfile.ZIP_DEFLATED)

    assert "is compressed or encrypted" in refused(tmp_path / "evidence.zip", zipped(add))


def test_fields_of_64_bits_are_read_where_they_were_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From 2,000 bytes on instead of 4 GiB, and for many entries."""
    monkeypatch.setattr(archives, "_LIMIT", 2000)
    (tmp_path / "evidence.zip").write_bytes(packed(files()))
    assert audit(BundleSource(tmp_path / "evidence.zip"), AuditRequest(key=KEY, strict=True)).valid
    many = {f"log/checkpoints/{number:012d}": b"" for number in range(1, 70_000)}
    (tmp_path / "many.zip").write_bytes(packed(many))
    assert StoredZip(tmp_path / "many.zip").names == [*many]


def test_fields_of_64_bits_where_nothing_needs_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as small:
        small.setattr(archives, "_LIMIT", 2000)
        data = packed(files())
    refused(tmp_path / "evidence.zip", data)


def test_a_directory_beyond_all_measure_is_not_read(tmp_path: Path) -> None:
    """A file of a terabyte that is nearly all directory, on a disk that has no room for it."""
    path = tmp_path / "evidence.zip"
    with path.open("wb") as file:
        file.truncate(1 << 40)
        file.seek(0, io.SEEK_END)
        file.write(b"PK\x05\x06" + bytes(4) + b"\1\0\1\0" + b"\xff\xff\xff\x7f" + bytes(4) + bytes(2))
    with pytest.raises(NotEvidence):
        BundleSource(path)
