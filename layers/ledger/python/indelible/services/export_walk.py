# SPDX-License-Identifier: Apache-2.0
"""One walk along a range of an organisation's keys: everything found goes into a bundle, and past the chain's checker.

Invariant: what is wrong is packed like what is right, in the order of keys, one line for each object with content.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from indelible.domain import bundle, instants, record
from indelible.domain.bundle import Exported, Finding, LastRecord
from indelible.domain.chain import ChainChecker
from indelible.domain.record import Record
from indelible.errors import NotFound
from indelible.ports import Clock, KeyVersions, StoredRecords, StoredVersion
from indelible.services.export_page import PageMaker
from indelible.services.locate import Locator
from indelible.services.log import LogReader
from indelible.services.ranges import End, Range
from indelible.services.roots import Roots
from indelible.services.specimen import specimen
from indelible.services.spool import Spool

MOST_FINDINGS = 100
"""Failures that a manifest lists; further ones are only counted."""


@dataclass(slots=True)
class Walk:
    """`last` is where the range ends, `lines` how many objects were packed; `progress` is told as they are."""

    store: StoredRecords
    log: LogReader
    clock: Clock
    org_id: str
    asked: Range
    records: Spool
    receipts: Spool
    progress: Callable[[int], None]
    locks: bool = True
    page: PageMaker = field(default_factory=PageMaker)
    checker: ChainChecker = field(init=False)
    lines: int = 0
    last: int = 0
    _tail: Record | None = None
    _first: Record | None = None
    _before: list[bytes] = field(default_factory=list)

    def go(self) -> None:
        """Walk. Raises NotFound where nothing is as late as the range begins."""
        start, after = self._begin()
        self.checker = ChainChecker(self.org_id, start=start, locks=self.locks)
        roots = Roots(self.log, self.org_id, self.checker)
        roots.begin()
        found = start - 1
        end = End(self.asked)
        for keys, stored in self.store.read_all(end.until(self.store.versions(self.org_id, after=after))):
            key = record.parse_key(keys.s3_key)
            if key is not None and key.sequence < start:
                if key.sequence == start - 1 and stored is not None:
                    self._before.append(stored.data)
                    self.checker.precede(stored.data)
                continue
            if self.checker.lacks_predecessor:
                self.checker.miss_predecessor()
            self._take(keys, stored)
            if key is not None:
                found = max(found, key.sequence)
                if stored is not None:
                    roots.add(key, record.tx_hash(stored.data))
        roots.finish()
        self.checker.finish(end.last, goes_on=end.beyond is not None)
        promised = max((*self.checker.promises, found))
        known = promised if end.beyond is None else end.beyond.sequence - 1
        self.last = known if end.last is None else min(end.last, known)

    @property
    def head(self) -> LastRecord | None:
        """The last record that was packed."""
        if self._tail is None:
            return None
        when = instants.to_text(self._tail.timestamp_ms)
        return LastRecord(sequence=self._tail.sequence, tx_hash=self._tail.tx_hash, timestamp=when)

    @property
    def predecessor(self) -> bytes | None:
        """The record before the range; of several (a fork) the one that the first record names."""
        named = self._first.prev_hash if self._first else None
        fitting = [data for data in self._before if record.tx_hash(data) == named]
        return next(iter(fitting or self._before), None)

    @property
    def exported(self) -> Exported:
        """What this walk found."""
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

    def _begin(self) -> tuple[int, str]:
        """The first sequence, and a key before its predecessor's. As for verify, but without asking the table."""
        start = self.asked.start_seq or 1
        locator = Locator(self.store, self.org_id)
        if self.asked.from_ms is not None:
            first = locator.first_at_or_after(self.asked.from_ms)
            if first is None:
                raise NotFound("there is no record in this range")
            start = max(start, first.sequence)
        if start == 1:
            return 1, f"{self.org_id}/"
        return start, locator.key_before(start - 1, self.clock.now_ms())

    def _take(self, keys: KeyVersions, stored: StoredVersion | None) -> None:
        seen = specimen(keys, stored)
        entry = self.checker.observe(seen)
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
        self.records.write(b"\n" if b"\n" in stored.data else stored.data + b"\n")
        self.receipts.write(line + b"\n")
        self.lines += 1
        if entry is not None:
            self._tail = entry
            self._first = self._first or entry
        self.progress(self.lines)
