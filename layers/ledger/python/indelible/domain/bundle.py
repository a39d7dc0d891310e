# SPDX-License-Identifier: Apache-2.0
"""The evidence bundle `indelible/bundle@v1`: its files, their order, and the manifest that lists them.

Invariant: `Manifest.parse(manifest.data) == manifest`, and no other bytes are parsed as that manifest. The manifest is
not signed: it states what the bundle should contain, which verification checks. The normative text is docs/bundle.md.
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from indelible.domain.canonical import MAX_NUMBER, canonical_bytes
from indelible.domain.findings import FailureCode
from indelible.domain.receipt import Receipt
from indelible.domain.record import MAX_OBJECT_BYTES, Record, tx_hash

FORMAT = "indelible/bundle@v1"

MANIFEST = "manifest.json"
README = "README.txt"
RECORDS = "records.jsonl"
PREDECESSOR = "predecessor.json"
RECEIPTS = "receipts.jsonl"
KEYS = "keys/"
LOG = "log/"
"""Has the same paths below it as `{org}/_log/` in the bucket."""
LEDGER = "ledger/"
"""Has the same paths below it as `_ledger/_log/` in the bucket."""
PAGE = "evidence.html"

_ORDER = (MANIFEST, README, RECORDS, PREDECESSOR, RECEIPTS, KEYS, LOG, LEDGER, PAGE)
_TILE = r"tile/(?:entries|\d|[1-9]\d)/(?:x\d{3}/)*\d{3}(?:\.p/[1-9]\d{0,2})?"
_KNOWN = re.compile(
    rf"manifest\.json|README\.txt|records\.jsonl|predecessor\.json|receipts\.jsonl|evidence\.html|keys/\d{{4}}"
    rf"|(?:log|ledger)/(?:checkpoints/\d{{12}}|{_TILE})|log/ledger/\d{{12}}\.tlog-proof"
    r"|ledger/anchors/\d{12}/[A-Za-z0-9_][A-Za-z0-9._-]{0,249}",
    re.ASCII,
)

MAX_RECEIPT_BYTES = 24 << 20
"""Of a line of `receipts.jsonl`, which can hold such an object in base64."""
MAX_MANIFEST_BYTES = 64 << 20

Count = Annotated[int, Meta(ge=0, le=MAX_NUMBER)]
Sequence = Annotated[int, Meta(ge=1, le=999_999_999_999)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


_SORTED = msgspec.json.Encoder(order="sorted")


class MalformedBundle(ValueError):
    """Not a bundle of a known format, or one that contradicts itself."""


class Listed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of the bundle, as the manifest lists it."""

    bytes: Count
    sha256: Sha256


class LastRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The last record in the bundle."""

    sequence: Sequence
    tx_hash: Sha256
    timestamp: str


class LastCheckpoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The largest checkpoint in the bundle; `sha256` is that of the note's bytes."""

    size: Sequence
    sha256: Sha256


class Finding(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A failure that the exporter found."""

    code: FailureCode
    sequence: Count | None
    detail: str


class Exported(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the exporter found when it read the range; a bundle of a broken chain is evidence, too.

    The exporter also checked what a bundle cannot show: locks, delete markers, newer versions. `failures` are the
    first hundred.
    """

    valid: bool
    first_broken_at: Count | None
    failures_total: Count
    failures: list[Finding]


class _Versioned(Struct):
    """The format alone, which is checked before the other members."""

    format: str | None = None


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the bundle contains, and the SHA-256 of every other file in it.

    `last_sequence` is the end of the range: the requested one, but not beyond the last record in the bucket or under a
    signed checkpoint; one less than `first_sequence` for an empty range. `records` counts the lines of `records.jsonl`.
    """

    ledger_name: str
    org_id: str
    first_sequence: Sequence
    last_sequence: Count
    records: Count
    head: LastRecord | None
    checkpoint: LastCheckpoint | None
    exported: Exported
    files: dict[str, Listed]
    format: str = FORMAT

    @property
    def data(self) -> bytes:
        """The bytes of `manifest.json`: RFC 8785, without a newline at the end."""
        return canonical_bytes(msgspec.to_builtins(self))

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """Parse a manifest. Raises MalformedBundle for anything else than the exact bytes of one of this format."""
        if len(data) > MAX_MANIFEST_BYTES:
            raise MalformedBundle(f"{MANIFEST} has more than {MAX_MANIFEST_BYTES:,} bytes")
        try:
            found = msgspec.json.decode(data, type=_Versioned).format
        except msgspec.ValidationError:
            found = None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise MalformedBundle(f"{MANIFEST} is not JSON") from None
        if found != FORMAT:
            raise MalformedBundle(f"{MANIFEST} is not of the format {FORMAT}")
        try:
            manifest = msgspec.json.decode(data, type=cls)
            canonical = manifest.data
        except (msgspec.ValidationError, ValueError) as error:
            raise MalformedBundle(f"{MANIFEST}: {error}") from None
        if canonical != data:
            raise MalformedBundle(f"{MANIFEST} is not in canonical form (RFC 8785)")
        if any(not is_known(path) or path == MANIFEST for path in manifest.files):
            raise MalformedBundle(f"{MANIFEST} lists a file that a bundle does not have")
        return manifest


class Held(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of `receipts.jsonl` for an object without a receipt: not a record, or a record under another record's key.

    `tx_hash` is the checksum (SHA-256) that the store keeps with the object, or the hash of the bytes if there is none.
    `data` (base64) is present only for bytes that do not fit on one line; then the line in `records.jsonl` is empty.
    For an object of more than `MAX_OBJECT_BYTES` both are empty, and only the hash is in the bundle.
    """

    s3_key: str
    s3_version_id: str
    tx_hash: Sha256
    data: bytes | UnsetType = UNSET


def receipt_line(
    entry: Record | None, *, s3_key: str, version_id: str, stored_sha256: str | None, data: bytes
) -> bytes:
    """The line of `receipts.jsonl` for these stored bytes, without the newline.

    For a record under its own key it is the receipt with the checksum that the store acknowledged when the record was
    sealed, with which bytes that changed later do not agree. `entry` is the record in `data`, None if there is none.
    """
    sha256 = stored_sha256 or tx_hash(data)
    if entry is None or entry.s3_key != s3_key or not fits_on_one_line(data):
        encoded = b"\n" in data and len(data) <= MAX_OBJECT_BYTES
        line: Struct = Held(s3_key=s3_key, s3_version_id=version_id, tx_hash=sha256, data=data if encoded else UNSET)
    else:
        line = msgspec.structs.replace(Receipt.of(entry, version_id), tx_hash=sha256)
        if version_id.isascii() and version_id.isprintable():
            # All members are printable ASCII, for which msgspec's JSON with sorted keys equals RFC 8785.
            return _SORTED.encode(line)
    return canonical_bytes(msgspec.to_builtins(line))


def fits_on_one_line(data: bytes) -> bool:
    """Whether these stored bytes can be a line of `records.jsonl`; otherwise that line is empty."""
    return b"\n" not in data and len(data) <= MAX_OBJECT_BYTES


def is_known(path: str) -> bool:
    """Whether a bundle may have a file of this name; no other is ever written, read or unpacked."""
    return _KNOWN.fullmatch(path) is not None


def file_order(path: str) -> tuple[int, str]:
    """The sort key that puts a bundle's files into their order."""
    return next(rank for rank, name in enumerate(_ORDER) if path == name or path.startswith(name)), path
