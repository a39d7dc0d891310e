# SPDX-License-Identifier: Apache-2.0
"""An export that somebody asked for: which range, and what has become of it.

Invariant: the id follows from the organisation, the range, and the first checkpoint that covers its end. Whoever asks
again for the same evidence gets the same export, and cannot start a second one.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec
from msgspec import Struct

from indelible.domain.canonical import canonical_bytes

BUNDLE = "bundle"


class Form(Struct, frozen=True):
    """What a file of an export is: the end of its name, without the dot, and its media type."""

    suffix: str
    content_type: str


FORMS = {
    BUNDLE: Form("zip", "application/zip"),
    "jsonl": Form("jsonl", "application/jsonl"),
    "csv": Form("csv", "text/csv; charset=utf-8"),
    "aat": Form("aat.jsonl", "application/jsonl"),
    "ocsf": Form("ocsf.jsonl", "application/jsonl"),
    "pdf": Form("pdf", "application/pdf"),
}
"""All that may be asked for: a bundle, or a view of what is in one."""


class ExportJob(Struct, frozen=True, kw_only=True):
    """A range by sequences, both ends included. `covered_by` is the size of that checkpoint, 0 where there is none."""

    org_id: str
    first: int
    last: int
    covered_by: int = 0
    format: str = BUNDLE

    @property
    def export_id(self) -> str:
        """32 lower-case hex digits."""
        return hashlib.sha256(canonical_bytes(msgspec.to_builtins(self))).hexdigest()[:32]

    @property
    def records(self) -> int:
        """How many records the range should have."""
        return self.last - self.first + 1

    def file_name(self, form: str) -> str:
        """What the file is called when it is downloaded, such as `acme-corp-1-500.csv`."""
        return f"{self.org_id}-{self.first}-{self.last}.{FORMS[form].suffix}"


class ExportState(Struct, frozen=True, kw_only=True):
    """How far an export is. What follows `code` is known once it is ready; `code` says why it failed.

    `bundle_sha256` is there for a view: the hash of the bundle that proves it, which is kept beside it.
    """

    job: ExportJob
    status: Literal["pending", "ready", "failed"]
    at_ms: int
    code: str | None = None
    sha256: str | None = None
    size: int | None = None
    records: int | None = None
    valid: bool | None = None
    bundle_sha256: str | None = None
    kept_until_ms: int | None = None

    @property
    def data(self) -> bytes:
        """As it is stored."""
        return canonical_bytes(msgspec.to_builtins(self))

    @classmethod
    def read(cls, data: bytes) -> ExportState:
        """From what was stored. Raises ValueError (msgspec.DecodeError)."""
        return msgspec.json.decode(data, type=cls)
