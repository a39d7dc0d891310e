# SPDX-License-Identifier: Apache-2.0
"""A whole ledger in memory: one bucket and one table, and as many processes on them as a test wants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from indelible.domain import record
from indelible.domain.receipt import Receipt
from indelible.domain.record import GovernorKey, Record, Retention
from indelible.ports import Workers
from indelible.services.anchor import Anchor
from indelible.services.append import Appender, Submission
from indelible.services.prove import Prover
from indelible.services.verify import Range, Verdict, Verifier
from tests.fakes.administrator import Administrator
from tests.fakes.bucket import Bucket
from tests.fakes.chains import GOVERNOR, ORG, RETENTION, event
from tests.fakes.journal import FakeJournal
from tests.fakes.machine import ManualClock, RecordingTelemetry, SeededEntropy, SequentialWorkers
from tests.fakes.records import FakeRecords
from tests.fakes.table import FakeIndex, FakeLogHead, FakeNews

P = TypeVar("P")


class Wiring:
    """How a process reaches a port. The plain one does not come between."""

    def to(self, name: str, port: P) -> P:
        """The port as this process sees it."""
        return port


@dataclass(slots=True)
class World:
    """What outlives every process."""

    bucket: Bucket = field(default_factory=Bucket)
    clock: ManualClock = field(default_factory=ManualClock)
    telemetry: RecordingTelemetry = field(default_factory=RecordingTelemetry)
    index: FakeIndex = field(default_factory=FakeIndex)
    news: FakeNews = field(default_factory=FakeNews)
    log: FakeLogHead = field(default_factory=FakeLogHead)
    records: FakeRecords = field(init=False)
    journal: FakeJournal = field(init=False)
    administrator: Administrator = field(init=False)
    _processes: int = 0

    def __post_init__(self) -> None:
        self.records = FakeRecords(self.bucket)
        self.journal = FakeJournal(self.bucket)
        self.administrator = Administrator(self.bucket, self.journal)

    def appender(self, wiring: Wiring | None = None, *, workers: Workers | None = None) -> Appender:
        """A fresh process that records."""
        wire = wiring or Wiring()
        self._processes += 1
        return Appender(
            journal=wire.to("journal", self.journal),
            records=wire.to("records", self.records),
            index=wire.to("index", self.index),
            news=wire.to("news", self.news),
            clock=self.clock,
            entropy=SeededEntropy(self._processes),
            workers=workers or SequentialWorkers(),
            telemetry=self.telemetry,
        )

    def anchor(self, wiring: Wiring | None = None, *, workers: Workers | None = None) -> Anchor:
        """A fresh process that anchors."""
        wire = wiring or Wiring()
        return Anchor(
            records=wire.to("records", self.records),
            journal=wire.to("journal", self.journal),
            index=wire.to("index", self.index),
            log=wire.to("log", self.log),
            clock=self.clock,
            workers=workers or SequentialWorkers(),
            telemetry=self.telemetry,
        )

    def verifier(self) -> Verifier:
        """A process that verifies."""
        return Verifier(records=self.records, journal=self.journal, clock=self.clock)

    def prover(self) -> Prover:
        """A process that proves."""
        return Prover(records=self.records, index=self.index, journal=self.journal)

    def submission(
        self,
        *numbers: int,
        key: str | None = None,
        org_id: str = ORG,
        retention: Retention = RETENTION,
        governor: GovernorKey = GOVERNOR,
        wait_ms: int = 5000,
    ) -> Submission:
        """Events with these numbers, as a request that just arrived."""
        return Submission(
            org_id=org_id,
            events=tuple(event(number) for number in numbers),
            retention=retention,
            governor=governor,
            deadline_ms=self.clock.now + wait_ms,
            idempotency_key=key,
        )

    def record(self, *numbers: int, org_id: str = ORG) -> list[Receipt]:
        """Record these events in a process of its own, without any trouble."""
        return self.appender().append(self.submission(*numbers, org_id=org_id))

    def verify(self, asked: Range | None = None, *, org_id: str = ORG) -> Verdict:
        """What verify says, given time enough."""
        return self.verifier().verify(org_id, asked or Range(), deadline_ms=self.clock.now + 60_000)

    def waiting(self, org_id: str = ORG) -> list[int]:
        """Sequences in the outbox."""
        return sorted(self.journal.waiting.get(org_id, {}))

    def sealed(self, org_id: str = ORG) -> list[Record]:
        """Every record in the bucket, in the order of keys."""
        found = self.records.read_all(self.records.versions(org_id, after=f"{org_id}/"))
        return [record.read(stored.data) for _, stored in found if stored is not None]
