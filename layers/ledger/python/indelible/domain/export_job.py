# SPDX-License-Identifier: Apache-2.0
"""An export that a caller requested, and its state.

Invariant: the id follows from the organisation, the range, the format and the first checkpoint that covers the range's
end. A repeated request for the same evidence gets the same export, and cannot start a second one.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec
from msgspec import Struct

from indelible.domain.canonical import canonical_bytes

BUNDLE = "bundle"


class Form(Struct, frozen=True):
    """The format of an exported file: its suffix, without the dot, and its media type."""

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
"""The formats that a caller may request: a bundle, or a view of one."""


class ExportJob(Struct, frozen=True, kw_only=True):
    """A range, both ends included. `covered_by` is that checkpoint's size, 0 if there is none.

    `first` and `last` are its sequences as the keys of the bucket tell them. An end that was asked for by time is an
    instant besides (Unix ms): a key alone is no evidence of where a time begins or ends, so packing finds it again.
    """

    org_id: str
    first: int
    last: int
    from_ms: int | None = None
    to_ms: int | None = None
    covered_by: int = 0
    format: str = BUNDLE

    @property
    def export_id(self) -> str:
        """32 lower-case hex digits."""
        return hashlib.sha256(canonical_bytes(msgspec.to_builtins(self))).hexdigest()[:32]

    @property
    def records(self) -> int:
        """The number of records in an intact range."""
        return self.last - self.first + 1

    def file_name(self, form: str) -> str:
        """The name under which the file is downloaded, such as `acme-corp-1-500.csv`."""
        return f"{self.org_id}-{self.first}-{self.last}.{FORMS[form].suffix}"


class ExportState(Struct, frozen=True, kw_only=True):
    """The state of an export at `at_ms` (Unix ms). `code` is set if it failed, the members after it if it is ready.

    `bundle_sha256` is set for a view: the hash of the bundle that proves it, which is stored beside it.
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
        """The stored bytes."""
        return canonical_bytes(msgspec.to_builtins(self))

    @classmethod
    def read(cls, data: bytes) -> ExportState:
        """Parse the stored bytes. Raises ValueError (msgspec.DecodeError)."""
        return msgspec.json.decode(data, type=cls)
