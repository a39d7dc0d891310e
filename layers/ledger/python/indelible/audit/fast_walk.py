# SPDX-License-Identifier: Apache-2.0
"""The walk of the API along a chain, a segment at a time.

    source ─▶ parts ─▶ fast_reader: columns ─▶ segment: run, subtrees ─▶ joins the chain, grows the tree
                          │ anything that is not exactly as expected
                          └─▶ the same part again, record by record, by the code that serves the API

Invariant: the verdict is that of the API on the same objects. Only a faultless run that follows the last record is
taken as a whole; everything else is read again, and reported, by the slow walk.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from indelible.audit import segment
from indelible.audit.ledger_inclusion import LedgerInclusion
from indelible.audit.resume import State
from indelible.audit.segment import Expected, Segment
from indelible.audit.source import NotEvidence, Part, Source
from indelible.audit.workers import scans
from indelible.domain import record
from indelible.domain.audit_id import MAX_SEQUENCE
from indelible.domain.findings import ExpectedHash, Failure, FailureCode, StoredObject
from indelible.domain.record import Record
from indelible.ports import StoredVersion
from indelible.services.locate import Locator
from indelible.services.walk import Walk


@dataclass(slots=True)
class FastWalk(Walk):
    """`receipts` are those that the auditor has, by sequence.

    `progress` is called with the number of records checked, those of an earlier run included, and the number that the
    range has: at least, where the chain goes on after its latest checkpoint; None where nothing says how many.

    `resume_from` is the state in which an earlier run stopped. `save` is called after each faultless part, with a
    function that returns the state there.
    """

    source: Source = field(kw_only=True)
    receipts: dict[int, tuple[ExpectedHash, ...]] = field(kw_only=True, default_factory=dict)
    jobs: int = field(kw_only=True, default=1)
    fast: bool = field(kw_only=True, default=True)
    strict: bool = field(kw_only=True, default=False)
    progress: Callable[[int, int | None], None] = field(kw_only=True, default=lambda _, __: None)
    resume_from: State | None = field(kw_only=True, default=None)
    save: Callable[[Callable[[], State]], None] | None = field(kw_only=True, default=None)
    first: int = field(init=False, default=1)
    inclusion: LedgerInclusion = field(init=False)

    def run(self, deadline_ms: int) -> None:
        """As Walk, but part by part, fast where nothing is wrong; and from where an earlier run stopped, if one did."""
        state = self.resume_from
        start, after = self._first_of_range() if state is None else (state.last.sequence + 1, state.after)
        self.first = start if state is None else state.first
        self.start(start, after)
        self.inclusion = LedgerInclusion(self.source, self.org_id, self.log, self._once)
        self.roots.on_confirmed = self.inclusion.confirmed
        for one in self._receipts():
            self.checker.expect(one)
        if state is None:
            self.roots.begin()
        else:
            state.put_back(self.checker, self.roots)
        complete = self._read_parts(deadline_ms) if self.fast else self._read_singly(deadline_ms)
        self._notice()
        self.finish(complete=complete)

    def _first_of_range(self) -> tuple[int, str]:
        """As `find_start`; but a source can begin later than with sequence 1. Raises NotEvidence for an empty range."""
        first_seq, starts_at = self.within.start_seq or 1, self.source.starts_at
        if self.within.from_ms is not None:
            first = Locator(self.records, self.org_id).first_at_or_after(self.within.from_ms)
            if first is None:
                raise NotEvidence("there is no record at that time or later")
            first_seq = max(first_seq, first.sequence)
        if starts_at > 1 and first_seq <= starts_at:
            return starts_at, f"{self.org_id}/"
        return self.find_start()

    def _read_singly(self, deadline_ms: int) -> bool:
        return self.observe_all(self.source.versions(self.org_id, after=self.last_key), deadline_ms)

    def _read_parts(self, deadline_ms: int) -> bool:
        expected = self._expected()
        count = self._count(expected)
        self.progress(self.checker.entries_checked, count)
        for part, found in scans(self.source, self.source.parts(after=self.last_key), expected, jobs=self.jobs):
            if found is not None and self._inside(found) and self.checker.join(found.run):
                self.roots.add_run(found.run.first, found.pieces)
                self.last_key, self.end.reached = part.after, found.run.last.sequence
                self._notice()
                self._save(found, part)
            else:
                self.observe_all(self.source.keys_of(part), deadline_ms)
                self._notice()
            self.progress(self.checker.entries_checked, count)
            if self.end.beyond is not None:
                break
        return True

    def observed(self, seen: StoredObject, stored: StoredVersion | None, entry: Record | None) -> None:  # noqa: ARG002
        """With `strict`, parse the whole record."""
        found = record.parse_key(seen.s3_key) if self.strict else None
        if stored is not None and found is not None and not segment.is_canonical(stored.data):
            self.checker.report(
                FailureCode.UNKNOWN_FORMAT, found.sequence, "the record is too long, or not canonical JSON (RFC 8785)"
            )

    @property
    def receipts_held(self) -> list[ExpectedHash]:
        """Those of records in the range."""
        return [one for one in self._receipts() if self._in_range(one.sequence)]

    @property
    def receipts_left_out(self) -> list[ExpectedHash]:
        """Those of records outside of the range, which are not read and so not found missing."""
        return [one for one in self._receipts() if not self._in_range(one.sequence)]

    def _in_range(self, sequence: int) -> bool:
        return self.first <= sequence and (self.end.last is None or sequence <= self.end.last)

    def _receipts(self) -> Iterator[ExpectedHash]:
        return (one for several in self.receipts.values() for one in several)

    def _notice(self) -> None:
        """Take the failures that the source noticed, as far as they are in the range."""
        end = self.within.end_seq or MAX_SEQUENCE
        for failure in self.source.noticed():
            inside = failure.sequence is None or self.checker.start <= failure.sequence <= end
            if inside:
                self._once(failure)

    def _once(self, failure: Failure) -> None:
        """Take a failure, unless an earlier run has found it."""
        if failure not in self.checker.failures:
            self.checker.take(failure)

    def _expected(self) -> Expected:
        sizes = array("Q", self.log.sizes(self.org_id, at_least=self.checker.start))
        return Expected(self.org_id, self.checker.expected, sizes if sizes else None, self.strict)

    def _count(self, expected: Expected) -> int | None:
        """How many records the range has; None where nothing says where it ends."""
        sizes = expected.sizes or ()
        last = self.within.end_seq or self.source.ends_at or max(sizes, default=None)
        if self.within.to_ms is not None:
            beyond = Locator(self.records, self.org_id).first_after(self.within.to_ms)
            last = min(last or MAX_SEQUENCE, beyond.sequence - 1) if beyond else last
        return None if last is None else max(last - self.first + 1, 0)

    def _inside(self, found: Segment) -> bool:
        run, within = found.run, self.within
        return (
            run.first >= self.checker.start
            and (within.end_seq is None or run.last.sequence <= within.end_seq)
            and (within.to_ms is None or run.last.timestamp_ms <= within.to_ms)
        )

    def _save(self, found: Segment, part: Part) -> None:
        def state() -> State:
            return State.of(self.checker, self.roots, first=self.first, last=found.run.last, after=part.after)

        if self.save is not None:
            self.save(state)
