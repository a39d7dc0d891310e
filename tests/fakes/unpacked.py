# SPDX-License-Identifier: Apache-2.0
"""An evidence bundle as somebody else opens it: with the standard library, and with nothing of the code under test."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from indelible.domain.bundle import Manifest
from indelible.domain.findings import StoredObject
from indelible.services.export import Bundle


class MemoryScratch:
    """Scratch, in memory; remembers what was not closed."""

    def __init__(self) -> None:
        self.made: list[io.BytesIO] = []

    def file(self) -> BinaryIO:
        self.made.append(io.BytesIO())
        return self.made[-1]

    @property
    def open(self) -> int:
        """How many are still there."""
        return sum(not file.closed for file in self.made)


@dataclass(frozen=True, slots=True)
class MadeBundle:
    """`formats.Packed`, of what it is given."""

    manifest: Manifest
    found: list[tuple[bytes, bytes]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    def lines(self) -> list[tuple[bytes, bytes]]:
        return self.found

    def file(self, path: str) -> bytes | None:
        return self.files.get(path)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The files of a bundle, in order."""

    files: dict[str, bytes]

    @classmethod
    def of(cls, made: Bundle | bytes) -> Unpacked:
        """Open it; the archive is sound, and the manifest lists exactly what is there."""
        data = made if isinstance(made, bytes) else b"".join(made.pieces())
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            found = cls({name: archive.read(name) for name in archive.namelist()})
        assert next(iter(found.files)) == "manifest.json"
        listed = found.manifest["files"]
        assert listed == {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in found.files.items()
            if name != "manifest.json"
        }
        return found

    @property
    def manifest(self) -> dict[str, Any]:
        """manifest.json."""
        return dict(json.loads(self.files["manifest.json"]))

    @property
    def records(self) -> list[bytes]:
        """The lines of records.jsonl."""
        return self.files["records.jsonl"].split(b"\n")[:-1]

    @property
    def receipts(self) -> list[dict[str, Any]]:
        """The lines of receipts.jsonl."""
        return [json.loads(line) for line in self.files["receipts.jsonl"].split(b"\n")[:-1]]

    def stored_objects(self) -> list[StoredObject]:
        """What a verifier gets to see: what lay under which key, and the checksum that was stored with it."""
        assert len(self.records) == len(self.receipts) == self.manifest["records"]
        return [
            StoredObject(
                s3_key=receipt["s3_key"],
                version_id=receipt["s3_version_id"],
                data=base64.b64decode(receipt["data"]) if "data" in receipt else line,
                stored_sha256=receipt["tx_hash"],
            )
            for line, receipt in zip(self.records, self.receipts, strict=True)
        ]
