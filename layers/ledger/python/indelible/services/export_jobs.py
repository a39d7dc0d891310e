# SPDX-License-Identifier: Apache-2.0
"""Ask for an export, and ask what has become of it. Packs nothing itself.

Invariant: the state of an export is stored before it is started, so that a caller who has its id finds it. An export of
another organisation is not found, because every look-up begins with the caller's own.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import msgspec

from indelible.domain import record
from indelible.domain.export_job import BUNDLE, ExportJob, ExportState
from indelible.errors import InvalidField, LedgerError, NotFound
from indelible.ports import Clock, ExportStore, Journal, Packers, RecordStore, StoredLogFiles
from indelible.services.locate import Locator
from indelible.services.ranges import Range

AT_ONCE = 1_000
"""Records up to which the answer waits until the export is packed."""
MOST_RECORDS = 250_000
"""Records in one export through the API; the command line has no limit."""
STALE_MS = 18 * 60_000
"""An export that is pending for longer has failed: it waits for two minutes at most and is packed for fifteen
(infra/constructs/exports.py), and clocks differ a little."""
ANSWERING_MS = 10_000
"""Kept free of a request's time after the waiting: to record that an address is handed out, and to answer."""


class ExportJobs:
    """One per environment; holds no state between calls."""

    def __init__(
        self,
        *,
        records: RecordStore,
        journal: Journal,
        files: StoredLogFiles,
        store: ExportStore,
        packers: Packers,
        clock: Clock,
    ) -> None:
        self._records = records
        self._journal = journal
        self._files = files
        self._store = store
        self._packers = packers
        self._clock = clock

    def ask(
        self,
        org_id: str,
        asked: Range,
        *,
        deadline_ms: int,
        form: str = BUNDLE,
        before: Callable[[ExportJob], None] = lambda _: None,
    ) -> ExportState:
        """The export of this range: a finished one, one under way, or a new one.

        `before` is called with a new one before it is started. `deadline_ms` (Unix time) is when the caller's request
        must be answered.

        Raises NotFound where the range is empty, InvalidField where it is too long, and what `before` raises.
        """
        job = self._plan(org_id, asked, form)
        stored = self._store.state(org_id, job.export_id)
        if stored is not None and not self._is_over(stored.state):
            return stored.state
        before(job)
        pending = ExportState(job=job, status="pending", at_ms=self._clock.now_ms())
        if not self._store.swap(pending, replaces=stored):
            return pending  # another caller has just started it
        try:
            if job.records > AT_ONCE:
                self._packers.start(job)
                return pending
            self._packers.pack(job, within_ms=deadline_ms - self._clock.now_ms() - ANSWERING_MS)
        except Exception as error:
            self._fail(pending, error.code if isinstance(error, LedgerError) else LedgerError.code)
            raise
        done = self._store.state(org_id, job.export_id)
        return done.state if done else pending

    def _fail(self, pending: ExportState, code: str) -> None:
        """Store that the export could not be started, unless it was, and has ended since."""
        with suppress(LedgerError):  # the caller raises what went wrong before
            stored = self._store.state(pending.job.org_id, pending.job.export_id)
            if stored is not None and stored.state == pending:
                self._store.swap(msgspec.structs.replace(pending, status="failed", code=code), replaces=stored)

    def find(self, org_id: str, export_id: str) -> ExportState:
        """The state of an export. Raises NotFound for an id that the organisation does not have, or not any more."""
        stored = self._store.state(org_id, export_id) if _is_id(export_id) else None
        if stored is None or stored.state.job.org_id != org_id:
            raise NotFound("no such export in this organisation; exports are kept for some days only")
        state = stored.state
        if state.status == "pending" and self._is_over(state):
            return ExportState(job=state.job, status="failed", at_ms=state.at_ms, code="UNAVAILABLE")
        return state

    def url(self, state: ExportState, *, expires_in_s: int) -> str | None:
        """The address of a finished export, for so many seconds; None for one that is not ready."""
        if state.status != "ready" or state.sha256 is None:
            return None
        return self._store.url(state.job, form=state.job.format, sha256=state.sha256, expires_in_s=expires_in_s)

    def bundle_url(self, state: ExportState, *, expires_in_s: int) -> str | None:
        """The same for the bundle that proves a view; None for an export that is a bundle itself."""
        if state.status != "ready" or state.bundle_sha256 is None:
            return None
        return self._store.url(state.job, form=BUNDLE, sha256=state.bundle_sha256, expires_in_s=expires_in_s)

    def _is_over(self, state: ExportState) -> bool:
        """Whether asking again starts it anew: it has failed, was cut off, or its file has expired."""
        now_ms = self._clock.now_ms()
        if state.status == "ready":
            return (state.kept_until_ms or 0) <= now_ms
        return state.status == "failed" or now_ms - state.at_ms > STALE_MS

    def _plan(self, org_id: str, asked: Range, form: str) -> ExportJob:
        found = self._find(org_id, asked)
        if found.last < found.first:
            raise NotFound("there is no record in this range")
        covered_by = next(self._files.sizes(org_id, at_least=found.last), 0)
        job = msgspec.structs.replace(found, covered_by=covered_by, format=form)
        if job.records > MOST_RECORDS:
            detail = f"one export has at most {MOST_RECORDS} records, this range has {job.records}"
            raise InvalidField(detail, field="end_seq" if asked.to_ms is None else "to")
        return job

    def _find(self, org_id: str, asked: Range) -> ExportJob:
        """The range as the bucket has it now. An instant is kept where it, and no sequence, is the end."""
        locator = Locator(self._records, org_id)
        end = self._last(org_id)
        first, last = asked.start_seq or 1, end if asked.end_seq is None else min(end, asked.end_seq)
        from_ms = to_ms = None
        if asked.from_ms is not None:
            begins = locator.first_at_or_after(asked.from_ms)
            if begins is None or begins.sequence > first:
                first, from_ms = begins.sequence if begins else end + 1, asked.from_ms
        if asked.to_ms is not None:
            beyond = locator.first_after(asked.to_ms)
            if beyond is not None and beyond.sequence <= last:
                last, to_ms = beyond.sequence - 1, asked.to_ms
        return ExportJob(org_id=org_id, first=first, last=last, from_ms=from_ms, to_ms=to_ms)

    def _last(self, org_id: str) -> int:
        """The last sequence of the chain: the table's head, unless the bucket goes on behind it.

        A head that is committed and not sealed yet is no evidence: the next export contains it.
        """
        head = self._journal.head(org_id)
        last = head.sequence
        for keys in self._records.versions(org_id, after=record.key_after(org_id, head)):
            found = record.parse_key(keys.s3_key)
            last = max(last, found.sequence) if found else last
        if last > head.sequence or last == 0:
            return last
        before = f"{record.day_prefix(org_id, head.timestamp_ms)}{head.sequence:012d}"
        sealed = self._records.first_key_after(org_id, before)
        key = record.parse_key(sealed) if sealed else None
        return last if key is not None and key.sequence == last else last - 1


def _is_id(text: str) -> bool:
    return len(text) == 32 and all(character in "0123456789abcdef" for character in text)
