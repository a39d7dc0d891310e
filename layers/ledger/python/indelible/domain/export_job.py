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


class ExportState(Struct, frozen=True, kw_only=True):
    """How far an export is. What follows `code` is known once it is ready; `code` says why it failed."""

    job: ExportJob
    status: Literal["pending", "ready", "failed"]
    at_ms: int
    code: str | None = None
    sha256: str | None = None
    size: int | None = None
    records: int | None = None
    valid: bool | None = None
    kept_until_ms: int | None = None

    @property
    def data(self) -> bytes:
        """As it is stored."""
        return canonical_bytes(msgspec.to_builtins(self))

    @classmethod
    def read(cls, data: bytes) -> ExportState:
        """From what was stored. Raises ValueError (msgspec.DecodeError)."""
        return msgspec.json.decode(data, type=cls)
