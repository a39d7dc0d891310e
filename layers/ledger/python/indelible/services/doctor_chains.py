# SPDX-License-Identifier: Apache-2.0
"""The doctor's checks of what the ledger does: heads, logs, the outbox, and external anchors. Reads only.

These checks look for signs that recording or anchoring has stopped. Records are verified by `indelible verify`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from indelible.domain import record
from indelible.errors import HeadRegressed, LedgerError
from indelible.ports import (
    Clock,
    Inventory,
    Journal,
    LedgerOutbox,
    LedgerRegister,
    LogHead,
    LogState,
    Organisations,
    RecordStore,
    Workers,
)
from indelible.ports.deployment import Deployment
from indelible.ports.external import AnchorFiles
from indelible.services.doctor import AGAIN, Check, Finding, Health, ok
from indelible.services.heads import confirmed_head
from indelible.services.log import LEDGER, LogReader

LATE_MS = 15 * 60_000
"""As the alarms `AnchorLag` and `OutboxAge`."""
EXTERNAL_LATE_MS = 24 * 3_600_000
EXTERNAL_PATIENCE_MS = 3_600_000
_LOOKED_AT = 100


class ChainChecks:
    """Checks every organisation, many at a time."""

    def __init__(
        self,
        *,
        organisations: Organisations,
        inventory: Inventory,
        journal: Journal,
        records: RecordStore,
        register: LogHead,
        log: LogReader,
        ledger_register: LedgerRegister,
        ledger_outbox: LedgerOutbox,
        anchors: AnchorFiles,
        deployment: Deployment,
        workers: Workers,
        clock: Clock,
    ) -> None:
        self._organisations = organisations
        self._inventory = inventory
        self._journal = journal
        self._records = records
        self._register = register
        self._log = log
        self._ledger_register = ledger_register
        self._ledger_outbox = ledger_outbox
        self._anchors = anchors
        self._deployment = deployment
        self._workers = workers
        self._clock = clock

    def checks(self) -> list[tuple[str, Check]]:
        """The checks by name."""
        return [
            ("organisations", self._each_organisation),
            ("ledger log", self._ledger_log),
            ("external anchors", self._external_anchors),
        ]

    def _each_organisation(self) -> Iterator[Finding]:
        registered = set(self._organisations.all())
        names = sorted({*registered, *self._inventory.owners()})
        for org_id in names:
            if org_id not in registered:
                said = f"{org_id}: in the bucket, but not in the registry"
                yield Finding("registry", Health.FAIL, said, f"indelible rebuild --org {org_id}")
        found = self._workers.gather([partial(self._examine, org_id) for org_id in names])
        well = 0
        for org_id, outcome in zip(names, found, strict=True):
            if isinstance(outcome, LedgerError):
                yield Finding("organisations", Health.UNKNOWN, f"{org_id}: {outcome.message}", AGAIN)
            elif isinstance(outcome, Exception):
                raise outcome
            else:
                yield from outcome
                well += not outcome and org_id in registered
        if well or not names:
            yield ok("organisations", f"{well:,} of {len(names):,} are recorded and anchored as expected")

    def _examine(self, org_id: str) -> list[Finding]:
        """The findings about one organisation; none where nothing is wrong."""
        rebuild = f"indelible rebuild --org {org_id}"
        try:
            head = confirmed_head(self._journal, self._records, org_id)
        except HeadRegressed as error:
            return [Finding("head", Health.FAIL, f"{org_id}: {error.message}", rebuild)]
        try:
            state = self._register.read(org_id)
        except HeadRegressed as error:
            return [Finding("log", Health.FAIL, f"{org_id}: {error.message}", rebuild)]
        signed, foreign = self._log.beyond(org_id, state.tree_size, known=state.tail.sequence)
        if self._register.read(org_id).tail.sequence < signed:
            said = f"{org_id}: a checkpoint of size {signed:,} is published, the table knows of {state.tail.sequence:,}"
            return [Finding("log", Health.FAIL, said, rebuild)]
        foreign_files = [_foreign(org_id, foreign)] if foreign else []
        if state.tail.sequence > head.sequence:
            said = f"{org_id}: the log covers {state.tail.sequence:,} records, the head is at {head.sequence:,}"
            return [*foreign_files, Finding("head", Health.FAIL, said, rebuild)]
        return [*foreign_files, *self._late(org_id, state, head.sequence)]

    def _late(self, org_id: str, state: LogState, last: int) -> Iterator[Finding]:
        """Old records that no checkpoint covers, and old records that are in the outbox alone."""
        first = state.tree_size + 1
        waiting = self._journal.outbox(org_id, range(first, min(last, first + _LOOKED_AT - 1) + 1))
        ages = {sequence: self._age_ms(data) for sequence, data in waiting.items()}
        if ages.get(first, 0) >= LATE_MS:
            said = (
                f"{org_id}: record {first:,} is {_minutes(ages[first])} old and not anchored; {last - first + 1:,} wait"
            )
            advice = f"indelible anchor --org {org_id} says why. See AnchorLag."
            yield Finding("anchor lag", Health.FAIL, said, advice)
        old = [sequence for sequence, age_ms in ages.items() if age_ms >= LATE_MS]
        unsealed = self._not_in_bucket(waiting, old)
        if unsealed:
            age = _minutes(ages[unsealed[0]])
            said = f"{org_id}: record {unsealed[0]:,} is {age} old and in the outbox only; {len(unsealed):,} are"
            yield Finding("outbox", Health.FAIL, said, "S3 refuses the writes. See The outbox grows.")

    def _age_ms(self, data: bytes) -> int:
        try:
            return self._clock.now_ms() - record.read(data).timestamp_ms
        except record.UnknownFormat:
            return LATE_MS

    def _not_in_bucket(self, waiting: dict[int, bytes], sequences: Sequence[int]) -> list[int]:
        found: list[int] = []
        for sequence in sequences:
            try:
                entry = record.read(waiting[sequence])
            except record.UnknownFormat:
                found.append(sequence)
                continue
            # The first key after one that sorts directly before it is its own, if the bucket has it.
            if self._records.first_key_after(entry.org_id, entry.s3_key[:-1]) != entry.s3_key:
                found.append(sequence)
        return found

    def _ledger_log(self) -> Iterator[Finding]:
        try:
            state = self._ledger_register.read()
        except HeadRegressed as error:
            yield Finding("ledger log", Health.FAIL, error.message, f"indelible rebuild --org {LEDGER}")
            return
        signed, foreign = self._log.beyond(LEDGER, state.published, known=state.tree_size)
        if self._ledger_register.read().tree_size < signed:
            said = f"a checkpoint of size {signed:,} is published, the table knows of {state.tree_size:,}"
            yield Finding("ledger log", Health.FAIL, said, f"indelible rebuild --org {LEDGER}")
            return
        if foreign:
            yield _foreign(LEDGER, foreign)
        oldest_ms = min((leaf.published_ms for leaf in self._ledger_outbox.waiting()), default=None)
        if oldest_ms is not None and self._clock.now_ms() - oldest_ms >= LATE_MS:
            said = f"a checkpoint has waited for {_minutes(self._clock.now_ms() - oldest_ms)}"
            yield Finding("ledger log", Health.FAIL, said, "indelible anchor says why. See LedgerLag.")
        else:
            yield ok("ledger log", f"{state.published:,} checkpoints of organisations are logged")

    def _external_anchors(self) -> Iterator[Finding]:
        """Each configured track has stored an anchor for a checkpoint of the last day."""
        tracks = self._deployment.external_tracks()
        if not tracks:
            yield ok("external anchors", "no anchoring provider is configured")
            return
        now_ms, newest = self._clock.now_ms(), self._ledger_register.read().published
        recent = self._anchors.published(newest=newest, since_ms=now_ms - EXTERNAL_LATE_MS) if newest else []
        if not recent or now_ms - recent[0].published_ms < EXTERNAL_PATIENCE_MS:
            yield ok("external anchors", f"{len(tracks)} tracks; no checkpoint is old enough to expect anchors")
            return
        heard = {stored.file.track for stored in self._anchors.stored(at_least=recent[0].size)}
        for track in tracks:
            if track in heard:
                yield ok("external anchors", f"{track} has anchored a checkpoint of the last day")
            else:
                said = f"{track} has anchored no checkpoint of the last day"
                advice = "The log of the external function says why. Every round tries again."
                yield Finding("external anchors", Health.WARN, said, advice)


def _foreign(owner: str, sizes: frozenset[int]) -> Finding:
    said = f"{owner}: checkpoints/{min(sizes):012d} is signed by no key of the ledger; {len(sizes):,} such files"
    advice = "They were written past the bucket policy: CloudTrail says by whom. Anchoring skips them."
    return Finding("log", Health.WARN, said, advice)


def _minutes(duration_ms: int) -> str:
    hours = duration_ms // 3_600_000
    return f"{hours:,} h" if hours >= 2 else f"{duration_ms // 60_000:,} min"
