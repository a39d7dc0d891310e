# SPDX-License-Identifier: Apache-2.0
"""The manifest has one form, a bundle has the files that it may have, and a receipt line says what was stored."""

from __future__ import annotations

import json

import msgspec
import pytest

from indelible.domain import bundle, record
from indelible.domain.bundle import Exported, LastCheckpoint, LastRecord, Listed, MalformedBundle, Manifest
from indelible.domain.canonical import canonical_bytes
from indelible.domain.receipt import Receipt
from tests.fakes.chains import build_chain

ENTRY = build_chain(1)[0]
MANIFEST = Manifest(
    ledger_name="indelible",
    org_id="acme-corp",
    first_sequence=3,
    last_sequence=9,
    records=7,
    head=LastRecord(sequence=9, tx_hash="ab" * 32, timestamp="2026-03-20T14:22:01.481Z"),
    checkpoint=LastCheckpoint(size=10, sha256="cd" * 32),
    exported=Exported(valid=True, first_broken_at=None, failures_total=0, failures=[]),
    files={"records.jsonl": Listed(bytes=7, sha256="ef" * 32)},
)


def test_a_manifest_is_read_back_as_it_was_written() -> None:
    assert Manifest.parse(MANIFEST.data) == MANIFEST
    assert json.loads(MANIFEST.data)["format"] == "indelible/bundle@v1"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"format": "indelible/bundle@v2"}, "format"),
        ({"records": -1}, "records"),
        ({"files": "many"}, "files"),
        ({"format": 1}, "format"),
        ({"more": 1}, "unknown field"),
        ({"files": {"../../etc/passwd": {"bytes": 0, "sha256": "ef" * 32}}}, "does not have"),
        ({"files": {"manifest.json": {"bytes": 0, "sha256": "ef" * 32}}}, "does not have"),
        ({"files": {"records.jsonl": {"bytes": 0, "sha256": "ef" * 32 + "\n"}}}, "sha256"),
    ],
)
def test_anything_else_is_refused(change: dict[str, object], why: str) -> None:
    with pytest.raises(MalformedBundle, match=why):
        Manifest.parse(canonical_bytes({**json.loads(MANIFEST.data), **change}))


HOSTILE = [
    b"[" * 100_000,
    b'{"format":"indelible/bundle@v1","x":' + b"[" * 100_000,
    MANIFEST.data.replace(b'"records":7', b'"records":9007199254740993'),
    MANIFEST.data.replace(b'"first_broken_at":null', b'"first_broken_at":' + b"9" * 5000),
    MANIFEST.data.replace(b'"records":7', b'"records":1e999'),
    MANIFEST.data.replace(b'"acme-corp"', rb'"\ud800"'),
    b" " * (bundle.MAX_MANIFEST_BYTES + 1),
]
"""Deep, with numbers that no double holds, with half a character, without end."""


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"\xff", MANIFEST.data + b"\n", MANIFEST.data.replace(b":", b": ", 1), *HOSTILE]
)
def test_a_manifest_has_one_form(data: bytes) -> None:
    with pytest.raises(MalformedBundle):
        Manifest.parse(data)


@pytest.mark.parametrize(
    "path",
    [
        "keys/0001",
        "log/checkpoints/000000001300",
        "log/tile/entries/005.p/20",
        "log/tile/1/x001/234.p/5",
        "log/ledger/000000001300.tlog-proof",
        "ledger/tile/0/000.p/3",
        "ledger/anchors/000000000002/rfc3161-example.tsr",
        "evidence.html",
    ],
)
def test_the_files_of_a_bundle(path: str) -> None:
    assert bundle.is_known(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/README.txt",
        "log/../README.txt",
        "log/checkpoint",
        "ledger/anchors/000000000002/..",
        "records.jsonl\n",
        "x",
    ],
)
def test_no_other_name_is_taken(path: str) -> None:
    assert not bundle.is_known(path)


def test_files_have_their_places() -> None:
    mixed = [
        "evidence.html",
        "log/tile/1/000",
        "ledger/checkpoints/1",
        "keys/0001",
        "log/checkpoints/1",
        "manifest.json",
    ]
    ordered = [
        "manifest.json",
        "keys/0001",
        "log/checkpoints/1",
        "log/tile/1/000",
        "ledger/checkpoints/1",
        "evidence.html",
    ]
    assert sorted(mixed, key=bundle.file_order) == ordered


def line(
    data: bytes = ENTRY.data, *, s3_key: str = ENTRY.s3_key, stored_sha256: str | None = None
) -> dict[str, object]:
    try:
        entry = record.read(data)
    except record.UnknownFormat:
        entry = None
    made = bundle.receipt_line(entry, s3_key=s3_key, version_id="v1", stored_sha256=stored_sha256, data=data)
    assert b"\n" not in made
    return msgspec.json.decode(made, type=dict[str, object])


def test_a_record_has_its_receipt_beside_it() -> None:
    assert line() == msgspec.to_builtins(Receipt.of(ENTRY, "v1"))


@pytest.mark.parametrize("version_id", ["", "3HL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY", 'q"\\/', "\x7f", "\n", "ä", "\u2028"])
def test_a_receipt_is_canonical_whatever_the_version_is_called(version_id: str) -> None:
    made = bundle.receipt_line(ENTRY, s3_key=ENTRY.s3_key, version_id=version_id, stored_sha256=None, data=ENTRY.data)
    assert made == canonical_bytes(msgspec.to_builtins(Receipt.of(ENTRY, version_id)))


def test_bytes_that_rotted_do_not_get_a_new_receipt() -> None:
    rotten = ENTRY.data.replace(b'"number":1', b'"number":2')
    assert rotten != ENTRY.data
    assert line(rotten, stored_sha256=ENTRY.tx_hash)["tx_hash"] == ENTRY.tx_hash


def test_what_gets_no_receipt_is_named_all_the_same() -> None:
    assert line(b"junk", s3_key="acme-corp/2026/03/20/junk") == {
        "s3_key": "acme-corp/2026/03/20/junk",
        "s3_version_id": "v1",
        "tx_hash": record.tx_hash(b"junk"),
    }
    assert set(line(s3_key="acme-corp/2026/03/21/elsewhere")) == {"s3_key", "s3_version_id", "tx_hash"}
    assert line(ENTRY.data + b"\n")["data"], "bytes with a newline cannot stand on a line"


def test_objects_that_are_too_large_for_a_bundle_leave_their_hash() -> None:
    for data in (bytes(record.MAX_OBJECT_BYTES + 1), b"\n" * (record.MAX_OBJECT_BYTES + 1)):
        line = bundle.receipt_line(None, s3_key="acme-corp/x", version_id="v", stored_sha256=None, data=data)
        assert not bundle.fits_on_one_line(data)
        assert json.loads(line) == {"s3_key": "acme-corp/x", "s3_version_id": "v", "tx_hash": record.tx_hash(data)}
    longest = b"\n" * record.MAX_OBJECT_BYTES
    line = bundle.receipt_line(None, s3_key="\x00" * 1024, version_id="v" * 1024, stored_sha256=None, data=longest)
    assert len(line) < bundle.MAX_RECEIPT_BYTES
