# SPDX-License-Identifier: Apache-2.0
"""The evidence bundle once more, written from docs/bundle.md and nothing else, without the page.

Invariant: imports nothing of indelible. The archive is the standard library's, the manifest `rfc8785`'s.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from typing import Any

import rfc8785

from tests.vectors.format_v1 import Made
from tests.vectors.signed_log import WIDTH, Log, tile
from tests.vectors.stored_ledger import ANCHORED, StoredLedger

README = b"""\
A test vector in the form of an evidence bundle. There is no evidence.html here: its bytes change with every version of
the page, and these must not. tests/vectors/README.md says what this is.
"""
_ORDER = (
    "manifest.json",
    "README.txt",
    "records.jsonl",
    "predecessor.json",
    "receipts.jsonl",
    "keys/",
    "log/",
    "ledger/",
)


@dataclass
class Line:
    """An object of the range: where it lies, its bytes, and the checksum that S3 keeps beside them."""

    made: Made
    version_id: str
    data: bytes
    sha256: str

    @classmethod
    def of(cls, made: Made, version_id: str) -> Line:
        """As it was sealed."""
        return cls(made, version_id, made.data, made.tx_hash)

    @property
    def receipt(self) -> bytes:
        """The line of `receipts.jsonl`."""
        fields = self.made.fields
        return rfc8785.dumps(
            {
                "audit_id": fields["audit_id"],
                "prev_hash": fields["prev_hash"],
                "retention_until": fields["retain_until"],
                "s3_key": self.made.key,
                "s3_lock_mode": fields["lock_mode"],
                "s3_version_id": self.version_id,
                "sequence": fields["sequence"],
                "timestamp": fields["timestamp"],
                "tx_hash": self.sha256,
            }
        )


@dataclass
class Bundle:
    """The range `first` to `last` of an organisation; `lines` and `files` may be changed before it is packed."""

    ledger: StoredLedger
    org_id: str
    first: int
    last: int
    failures: list[dict[str, Any]] = field(default_factory=list)
    """What the exporter says that it met."""
    lines: list[Line] = field(init=False)
    files: dict[str, bytes] = field(init=False)

    def __post_init__(self) -> None:
        """Everything that docs/bundle.md lists, from an honest bucket."""
        records, versions = self.ledger.chains[self.org_id], self.ledger.versions()
        self.lines = [Line.of(made, versions[made.key]) for made in records[self.first - 1 : self.last]]
        self.files = {"README.txt": README}
        if self.first > 1:
            self.files["predecessor.json"] = records[self.first - 2].data
        for place, note in enumerate(self.ledger.statements, start=1):
            self.files[f"keys/{place:04d}"] = note
        self._log()
        self._way_up()

    @property
    def sizes(self) -> list[int]:
        """The checkpoints inside the range, and the first that reaches its end."""
        published = sorted(int(path[-12:]) for path in self._source.files if path.startswith("checkpoints/"))
        inside = [size for size in published if self.first <= size <= self.last]
        beyond = [size for size in published if size >= self.last]
        return sorted({*inside, *beyond[:1]})

    def packed(self) -> bytes:
        """The archive."""
        records = b"".join(one.data + b"\n" for one in self.lines)
        receipts = b"".join(one.receipt + b"\n" for one in self.lines)
        files = {**self.files, "records.jsonl": records, "receipts.jsonl": receipts}
        files["manifest.json"] = rfc8785.dumps(self._manifest(files))
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as opened:
            for name in sorted(files, key=_place):
                entry = zipfile.ZipInfo(name)  # stored, of 1980-01-01, unless told otherwise
                entry.create_system, entry.external_attr = 3, 0o100644 << 16
                opened.writestr(entry, files[name])
        return archive.getvalue()

    @property
    def _source(self) -> Log:
        return self.ledger.logs[self.org_id]

    def _take(self, path: str) -> None:
        self.files[f"log/{path}"] = self._source.files[path]

    def _log(self) -> None:
        for size in self.sizes:
            self._take(f"checkpoints/{size:012d}")
        smallest, largest = self.sizes[0], self.sizes[-1]
        before = self.first - 1
        if before % WIDTH:
            self._take(tile("entries", before // WIDTH, smallest))
        if (before >> 8) % WIDTH:
            self._take(tile("1", 0, smallest))
        for height in range(8, -1, -1):  # the last leaf is proved by the perfect subtrees before it
            if largest - 1 >> height & 1:
                start = largest - 1 >> height + 1 << height + 1
                level = height // 8
                self._take(tile(str(level), start >> 8 * (level + 1), largest))
        for number in range(min(self.last, largest - 1) // WIDTH, (largest - 1) // WIDTH + 1):
            self._take(tile("entries", number, largest))

    def _way_up(self) -> None:
        own = self.ledger.own.files
        for size in self.sizes:
            proof = self._source.files[f"ledger/{size:012d}.tlog-proof"]
            self.files[f"log/ledger/{size:012d}.tlog-proof"] = proof
            covered_by = int(proof.partition(b"\n\n")[2].split(b"\n")[1])
            taken = [f"checkpoints/{covered_by:012d}"]
            if covered_by <= ANCHORED:
                taken += [f"checkpoints/{ANCHORED:012d}", tile("0", 0, ANCHORED)]
                taken += [path for path in own if path.startswith(f"anchors/{ANCHORED:012d}/")]
            self.files |= {f"ledger/{path}": own[path] for path in taken}

    def _manifest(self, files: dict[str, bytes]) -> dict[str, Any]:
        head = self.lines[-1].made
        broken = [one["sequence"] for one in self.failures if one["sequence"] is not None]
        return {
            "format": "indelible/bundle@v1",
            "ledger_name": self.ledger.own.origin,
            "org_id": self.org_id,
            "first_sequence": self.first,
            "last_sequence": self.last,
            "records": len(self.lines),
            "head": {
                "sequence": head.fields["sequence"],
                "tx_hash": hashlib.sha256(self.lines[-1].data).hexdigest(),
                "timestamp": head.fields["timestamp"],
            },
            "checkpoint": {
                "size": self.sizes[-1],
                "sha256": hashlib.sha256(files[f"log/checkpoints/{self.sizes[-1]:012d}"]).hexdigest(),
            },
            "exported": {
                "valid": not self.failures,
                "first_broken_at": min(broken, default=None),
                "failures_total": len(self.failures),
                "failures": self.failures,
            },
            "files": {
                path: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for path, data in files.items()
            },
        }


def _place(name: str) -> tuple[int, str]:
    return next(rank for rank, begin in enumerate(_ORDER) if name.startswith(begin)), name
