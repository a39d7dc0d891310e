# SPDX-License-Identifier: Apache-2.0
"""What every view is made of: the records of a bundle, one after another, and what that bundle is.

Invariant: a view holds what a record says, and what says where it is proved: its `tx_hash`, and the bundle's SHA-256.
What is no record has no place in a view; the bundle has it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from indelible.domain import record
from indelible.domain.bundle import Manifest
from indelible.domain.contents import contents
from indelible.domain.record import Record

FORMAT = "indelible/view@v1"


class NotInstalled(Exception):
    """A view needs a library that is not there."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The bundle that proves a view: export the same range again, and it has this SHA-256."""

    bundle_sha256: str
    ledger_name: str
    org_id: str
    first_sequence: int
    last_sequence: int
    records: int
    head: str | None
    """The `tx_hash` of the last record."""
    valid: bool
    """What whoever packed it found; otherwise how many failures, and the lowest sequence among them."""
    failures_total: int
    first_broken_at: int | None

    @classmethod
    def of(cls, manifest: Manifest, bundle_sha256: str) -> Proof:
        """For the bundle with this manifest and this SHA-256."""
        return cls(
            bundle_sha256=bundle_sha256,
            ledger_name=manifest.ledger_name,
            org_id=manifest.org_id,
            first_sequence=manifest.first_sequence,
            last_sequence=manifest.last_sequence,
            records=manifest.records,
            head=manifest.head.tx_hash if manifest.head else None,
            valid=manifest.exported.valid,
            failures_total=manifest.exported.failures_total,
            first_broken_at=manifest.exported.first_broken_at,
        )

    def as_dict(self) -> dict[str, Any]:
        """For a view to say of itself."""
        return {"format": FORMAT, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Entry:
    """One record, parsed. `raw` are the bytes that were hashed."""

    raw: bytes
    sealed: Record
    said: dict[str, Any]
    receipt: dict[str, Any]

    @property
    def event(self) -> dict[str, Any]:
        """What the caller sent."""
        found: dict[str, Any] = self.said["event"]
        return found

    @property
    def event_type(self) -> str:
        """As the caller sent it; empty where that is no text."""
        found = self.event.get("event_type")
        return found if isinstance(found, str) else ""

    def part(self, name: str) -> dict[str, Any]:
        """An object of the event (`aow_context`, `regulatory`, …), empty where it is absent."""
        found = self.event.get(name)
        return found if isinstance(found, dict) else {}


def entries(lines: Iterable[tuple[bytes, bytes]]) -> Iterator[Entry]:
    """The records among a bundle's lines, each with its line of `receipts.jsonl`."""
    for raw, receipt in lines:
        try:
            sealed = record.read(raw)
            said = contents(raw)
        except record.UnknownFormat:  # not a record, or one whose middle is rotten
            continue
        yield Entry(raw, sealed, said, json.loads(receipt))
