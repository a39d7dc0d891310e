# SPDX-License-Identifier: Apache-2.0
"""Ask for an export, and ask what has become of it. Packs nothing itself.

Invariant: what is started is noted first, so that whoever was given an id finds it. An export of another organisation
is not found, because every look-up begins with the caller's own.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from indelible.domain import record
from indelible.domain.export_job import BUNDLE, ExportJob, ExportState
from indelible.errors import InvalidField, LedgerError, NotFound
from indelible.ports import Clock, ExportStore, Journal, Packers, RecordStore, StoredLogFiles
from indelible.services.locate import Locator
from indelible.services.ranges import Range

AT_ONCE = 1_000
"""Up to so many records the answer is waited for."""
MOST_RECORDS = 250_000
"""In one export through the API; the command line has no limit."""
STALE_MS = 18 * 60_000
"""What is pending for longer has come to nothing: an export waits for two minutes at most and is worked at for fifteen
(infra/constructs/exports.py), and clocks differ a little."""
ANSWERING_MS = 10_000
"""What is left of a request after the waiting: to put on record that an address is handed out, and to answer."""


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
        """The export of this range: a finished one, one under way, or a new one, which is told to `before` first.

        Raises NotFound where the range is empty, InvalidField where it is too long, and what `before` raises.
        """
        job = self._job(org_id, asked, form)
        noted = self._store.state(org_id, job.export_id)
        if noted is not None and not self._to_be_begun(noted.state):
            return noted.state
        before(job)
        pending = ExportState(job=job, status="pending", at_ms=self._clock.now_ms())
        if not self._store.note(pending, replaces=noted):
            return pending  # somebody else has just begun
        try:
            if job.records > AT_ONCE:
                self._packers.start(job)
                return pending
            self._packers.pack(job, within_ms=deadline_ms - self._clock.now_ms() - ANSWERING_MS)
        except LedgerError as error:
            self._store.settle(msgspec.structs.replace(pending, status="failed", code=error.code))
            raise
        done = self._store.state(org_id, job.export_id)
        return done.state if done else pending

    def find(self, org_id: str, export_id: str) -> ExportState:
        """What has become of an export. Raises NotFound."""
        noted = self._store.state(org_id, export_id) if _is_id(export_id) else None
        if noted is None or noted.state.job.org_id != org_id:
            raise NotFound("no such export in this organisation; they are kept for some days only")
        state = noted.state
        if state.status == "pending" and self._to_be_begun(state):
            return ExportState(job=state.job, status="failed", at_ms=state.at_ms, code="UNAVAILABLE")
        return state

    def url(self, state: ExportState, *, expires_in_s: int) -> str | None:
        """Where a finished export can be downloaded for so long."""
        if state.status != "ready" or state.sha256 is None:
            return None
        return self._store.url(state.job, form=state.job.format, sha256=state.sha256, expires_in_s=expires_in_s)

    def bundle_url(self, state: ExportState, *, expires_in_s: int) -> str | None:
        """The same for the bundle that proves a view; None for an export that is a bundle itself."""
        if state.status != "ready" or state.bundle_sha256 is None:
            return None
        return self._store.url(state.job, form=BUNDLE, sha256=state.bundle_sha256, expires_in_s=expires_in_s)

    def _to_be_begun(self, state: ExportState) -> bool:
        """Whether asking again begins anew: after a failure, after a run that was cut off, when the file is gone."""
        now_ms = self._clock.now_ms()
        if state.status == "ready":
            return (state.kept_until_ms or 0) <= now_ms
        return state.status == "failed" or now_ms - state.at_ms > STALE_MS

    def _job(self, org_id: str, asked: Range, form: str) -> ExportJob:
        first, last = self._ends(org_id, asked)
        if last < first:
            raise NotFound("there is no record in this range")
        job = ExportJob(
            org_id=org_id,
            first=first,
            last=last,
            covered_by=next(self._files.sizes(org_id, at_least=last), 0),
            format=form,
        )
        if job.records > MOST_RECORDS:
            detail = f"one export has at most {MOST_RECORDS} records, this range has {job.records}"
            raise InvalidField(detail, field="end_seq" if asked.to_ms is None else "to")
        return job

    def _ends(self, org_id: str, asked: Range) -> tuple[int, int]:
        """The range by sequences, as the bucket has it now."""
        locator = Locator(self._records, org_id)
        first, last = asked.start_seq or 1, self._last(org_id)
        if asked.from_ms is not None:
            found = locator.first_at_or_after(asked.from_ms)
            first = max(first, found.sequence) if found else last + 1
        if asked.to_ms is not None:
            beyond = locator.first_at_or_after(asked.to_ms + 1)
            last = min(last, beyond.sequence - 1) if beyond else last
        return first, last if asked.end_seq is None else min(last, asked.end_seq)

    def _last(self, org_id: str) -> int:
        """The last sequence of the chain: the table's head, unless the bucket goes on behind it.

        A head that is committed and not sealed yet is no evidence, and is left for the next export.
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
