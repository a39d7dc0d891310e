# SPDX-License-Identifier: Apache-2.0
"""One walk along a range of an organisation's keys, which checks every object and packs it into a bundle.

Invariant: a broken object is packed like a valid one, in the order of keys, one line for each object with content.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from indelible.domain import bundle, instants, record
from indelible.domain.bundle import Exported, Finding, LastRecord
from indelible.domain.findings import StoredObject
from indelible.domain.record import Record
from indelible.errors import NotFound
from indelible.ports import StoredVersion
from indelible.services.export_page import PageMaker
from indelible.services.locate import Locator
from indelible.services.spool import Spool
from indelible.services.walk import NO_DEADLINE, Walk

MOST_FINDINGS = 100
"""Failures that a manifest lists; further ones are only counted."""


@dataclass(slots=True)
class ExportWalk(Walk):
    """`last` is where the range ends, `lines` how many objects were packed; `progress` is called with it after each."""

    packed: Spool = field(kw_only=True)
    receipts: Spool = field(kw_only=True)
    progress: Callable[[int], None] = field(kw_only=True)
    page: PageMaker = field(default_factory=PageMaker)
    lines: int = 0
    last: int = 0
    _found: int = 0
    _tail: Record | None = None
    _first: Record | None = None
    _before: list[bytes] = field(default_factory=list)

    def pack(self) -> None:
        """Walk. Raises NotFound where no record is as late as the range begins."""
        from_ms = self.within.from_ms
        if from_ms is not None and Locator(self.records, self.org_id).first_at_or_after(from_ms) is None:
            raise NotFound("there is no record in this range")
        self.run(NO_DEADLINE)
        known = max((*self.checker.expected, self._found, self.checker.start - 1))
        if self.end.beyond is not None:
            known = self.end.beyond.sequence - 1
        self.last = known if self.end.last is None else min(self.end.last, known)

    @property
    def last_record(self) -> LastRecord | None:
        """The last record that was packed."""
        if self._tail is None:
            return None
        when = instants.to_text(self._tail.timestamp_ms)
        return LastRecord(sequence=self._tail.sequence, tx_hash=self._tail.tx_hash, timestamp=when)

    @property
    def predecessor(self) -> bytes | None:
        """The bytes of the record before the range; of several (a fork), the one that the first record names."""
        named = self._first.prev_hash if self._first else None
        fitting = [data for data in self._before if record.tx_hash(data) == named]
        return next(iter(fitting or self._before), None)

    @property
    def exported(self) -> Exported:
        """The verdict of this walk, as the manifest states it."""
        checker = self.checker
        listed = [
            Finding(code=one.code, sequence=one.sequence, detail=one.detail) for one in checker.failures[:MOST_FINDINGS]
        ]
        return Exported(
            valid=checker.failures_total == 0,
            first_broken_at=checker.first_broken_at,
            failures_total=checker.failures_total,
            failures=listed,
        )

    def preceded(self, data: bytes) -> None:
        """Keep it for the bundle."""
        self._before.append(data)

    def observed(self, seen: StoredObject, stored: StoredVersion | None, entry: Record | None) -> None:
        """Pack it."""
        key = record.parse_key(seen.s3_key)
        self._found = max(self._found, key.sequence if key else 0)
        self.page.add(seen)
        if stored is None:
            return
        line = bundle.receipt_line(
            entry,
            s3_key=stored.s3_key,
            version_id=stored.version_id,
            stored_sha256=stored.sha256,
            data=stored.data,
        )
        self.packed.write(stored.data + b"\n" if bundle.fits_on_one_line(stored.data) else b"\n")
        self.receipts.write(line + b"\n")
        self.lines += 1
        if entry is not None:
            self._tail = entry
            self._first = self._first or entry
        self.progress(self.lines)
