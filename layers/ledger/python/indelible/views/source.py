# SPDX-License-Identifier: Apache-2.0
"""What views are made from: the records of a bundle, and the identity of that bundle.

Invariant: a view contains each record's `tx_hash` and the bundle's SHA-256, which lead to the evidence. Objects that
are not records are left out of views; the bundle has them.
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
    """The library that a view needs is not installed."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The bundle that proves a view. Exporting the same range again gives a bundle with this SHA-256."""

    bundle_sha256: str
    ledger_name: str
    org_id: str
    first_sequence: int
    last_sequence: int
    records: int
    head: str | None
    """The `tx_hash` of the last record."""
    valid: bool
    """The exporter's verdict; the next two members are the number of failures and the lowest sequence among them."""
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
        """The members for a view's `proved_by`."""
        return {"format": FORMAT, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Entry:
    """One record. `raw` are its bytes, `members` its parsed content, `receipt` its line of `receipts.jsonl`."""

    raw: bytes
    sealed: Record
    members: dict[str, Any]
    receipt: dict[str, Any]

    @property
    def event(self) -> dict[str, Any]:
        """The event, as it was recorded."""
        found: dict[str, Any] = self.members["event"]
        return found

    @property
    def event_type(self) -> str:
        """The event's type; empty if it is not a string."""
        found = self.event.get("event_type")
        return found if isinstance(found, str) else ""

    def part(self, name: str) -> dict[str, Any]:
        """An object in the event (`aow_context`, `regulatory`, …); empty if it is absent or not an object."""
        found = self.event.get(name)
        return found if isinstance(found, dict) else {}


def entries(lines: Iterable[tuple[bytes, bytes]]) -> Iterator[Entry]:
    """The records among a bundle's lines. Lines that are not records of a known format are skipped."""
    for raw, receipt in lines:
        try:
            sealed = record.read(raw)
            members = contents(raw)
        except record.UnknownFormat:  # not a record, or one whose event is damaged
            continue
        yield Entry(raw, sealed, members, json.loads(receipt))
