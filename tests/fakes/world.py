# SPDX-License-Identifier: Apache-2.0
"""A whole ledger in memory: one bucket and one table, and as many processes on them as a test wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from indelible.domain import record
from indelible.domain.note import VerifierKey
from indelible.domain.receipt import Receipt
from indelible.domain.record import GovernorKey, Record, Retention
from indelible.external.verify_timestamp import read_timestamp_token
from indelible.ports import EMPTY_LEDGER, Workers
from indelible.services.anchor import Anchor, AnchorReport
from indelible.services.append import Appender
from indelible.services.chain_replay import ChainReplayer
from indelible.services.collect import Collector
from indelible.services.keys import PinnedKeys, SigningKeys
from indelible.services.ledger_log import LedgerLog, LedgerReport
from indelible.services.ledger_proof import LedgerProver
from indelible.services.log import LogReader
from indelible.services.prove import Prover
from indelible.services.ranges import Range
from indelible.services.rebuild import Rebuilder
from indelible.services.signed_log import SignedLog
from indelible.services.submission import Submission
from indelible.services.timetable import Timetable
from indelible.services.verify import Verdict, Verifier
from tests.fakes.administrator import Administrator
from tests.fakes.bucket import Bucket
from tests.fakes.chains import GOVERNOR, ORG, RETENTION, event
from tests.fakes.external import FakeAnchorFiles
from tests.fakes.journal import FakeJournal, TableState
from tests.fakes.ledger import FakeLedgerOutbox, FakeLedgerRegister
from tests.fakes.log import LEDGER_NAME, FakeLogFiles, FakeLogHead, FakeSigner
from tests.fakes.machine import ManualClock, RecordingTelemetry, SeededEntropy, SequentialWorkers
from tests.fakes.records import FakeRecords
from tests.fakes.repair import FakeInventory, FakeRepair
from tests.fakes.second import FakeSecondSigner
from tests.fakes.table import FakeIndex, FakeNews, FakeOrganisations, FakeRoundStarts

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
    starts: FakeRoundStarts = field(default_factory=FakeRoundStarts)
    period_ms: int = 300_000
    register: FakeLogHead = field(default_factory=FakeLogHead)
    organisations: FakeOrganisations = field(default_factory=FakeOrganisations)
    ledger_register: FakeLedgerRegister = field(default_factory=FakeLedgerRegister)
    ledger_outbox: FakeLedgerOutbox = field(init=False)
    files: FakeLogFiles = field(init=False)
    signers: list[FakeSigner] = field(init=False)
    """All generations, oldest first: what a deployment names."""
    second: FakeSecondSigner | None = None
    records: FakeRecords = field(init=False)
    journal: FakeJournal = field(init=False)
    administrator: Administrator = field(init=False)
    repair: FakeRepair = field(init=False)
    _processes: int = 0

    def __post_init__(self) -> None:
        self.records = FakeRecords(self.bucket)
        self.journal = FakeJournal(self.bucket)
        self.files = FakeLogFiles(self.bucket)
        self.register.bucket = self.ledger_register.bucket = self.bucket
        self.signers = [FakeSigner(self.register, self.bucket, ledger=self.ledger_register)]
        self.ledger_outbox = FakeLedgerOutbox(self.bucket)
        self.administrator = Administrator(self.bucket, self.journal)
        self.repair = FakeRepair(
            self.bucket, self.journal, self.register, self.index, self.organisations, self.ledger_register
        )

    @property
    def signer(self) -> FakeSigner:
        """The newest generation."""
        return self.signers[-1]

    def rotate(self) -> None:
        """Name one more generation, for processes from now on; the anchor's next run pins it."""
        seed = 7 + len(self.signers)
        signer = FakeSigner(self.register, self.bucket, seed, ledger=self.ledger_register, predecessor=self.signer)
        self.signers = [*self.signers, signer]

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
        records, journal = wire.to("records", self.records), wire.to("journal", self.journal)
        return Anchor(
            collector=Collector(
                records=records,
                journal=journal,
                index=wire.to("index", self.index),
                clock=self.clock,
                workers=workers or SequentialWorkers(),
                telemetry=self.telemetry,
            ),
            log=self.signed_log(wire),
            register=wire.to("register", self.register),
            outbox=wire.to("ledger_outbox", self.ledger_outbox),
            journal=journal,
            records=records,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    def ledger_log(self, wiring: Wiring | None = None, *, workers: Workers | None = None) -> LedgerLog:
        """A fresh process that adds to the ledger's own log."""
        wire = wiring or Wiring()
        return LedgerLog(
            log=self.signed_log(wire),
            files=wire.to("files", self.files),
            register=wire.to("ledger_register", self.ledger_register),
            outbox=wire.to("ledger_outbox", self.ledger_outbox),
            workers=workers or SequentialWorkers(),
            clock=self.clock,
            telemetry=self.telemetry,
        )

    def signed_log(self, wiring: Wiring | None = None) -> SignedLog:
        """What an anchor writes to."""
        wire = wiring or Wiring()
        keys = self.signing_keys(wire)
        return SignedLog(
            files=wire.to("files", self.files),
            ledger_name=LEDGER_NAME,
            keys=keys.ring,
            signer=keys.signer,
            retention=RETENTION,
            clock=self.clock,
            second=None if self.second is None else wire.to("second", self.second),
        )

    def log(self, wiring: Wiring | None = None) -> LogReader:
        """What everybody else reads."""
        wire = wiring or Wiring()
        files = wire.to("files", self.files)
        return LogReader(files=files, ledger_name=LEDGER_NAME, keys=self.keys(wire).ring, current=files.current)

    def keys(self, wiring: Wiring | None = None) -> PinnedKeys:
        """The key ring of a process that reads."""
        wire = wiring or Wiring()
        signers = [wire.to("signer", signer) for signer in self.signers]
        return PinnedKeys(keys=signers, files=wire.to("files", self.files), ledger_name=LEDGER_NAME)

    def signing_keys(self, wiring: Wiring | None = None) -> SigningKeys:
        """The key ring of a process that anchors."""
        wire = wiring or Wiring()
        return SigningKeys(
            signers=[wire.to("signer", signer) for signer in self.signers],
            files=wire.to("files", self.files),
            ledger_name=LEDGER_NAME,
            retention=RETENTION,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    def verifier(self, wiring: Wiring | None = None) -> Verifier:
        """A process that verifies."""
        wire = wiring or Wiring()
        records, journal = wire.to("records", self.records), wire.to("journal", self.journal)
        return Verifier(records=records, journal=journal, log=self.log(wire), clock=self.clock)

    def prover(self, wiring: Wiring | None = None) -> Prover:
        """A process that proves."""
        wire = wiring or Wiring()
        return Prover(
            records=wire.to("records", self.records),
            index=wire.to("index", self.index),
            journal=wire.to("journal", self.journal),
            log=self.log(wire),
            ledger_prover=self.ledger_prover(wire),
            timetable=Timetable(starts=wire.to("starts", self.starts), period_ms=self.period_ms, clock=self.clock),
        )

    def ledger_prover(
        self, wiring: Wiring | None = None, *, witnesses: Sequence[VerifierKey] = (), quorum: int | None = None
    ) -> LedgerProver:
        """What proves checkpoints to be in the ledger's own log."""
        wire = wiring or Wiring()
        return LedgerProver(
            log=self.log(wire),
            files=wire.to("files", self.files),
            anchors=wire.to("anchors", FakeAnchorFiles(self.bucket)),
            token_time=read_timestamp_token,
            workers=SequentialWorkers(),
            witnesses=witnesses,
            quorum=quorum,
        )

    def rebuilder(self, wiring: Wiring | None = None) -> Rebuilder:
        """An operator who rebuilds the table."""
        wire = wiring or Wiring()
        table, log = wire.to("table", self.repair), self.log(wire)
        inventory = wire.to("inventory", FakeInventory(self.bucket))
        replayer = ChainReplayer(
            records=wire.to("records", self.records),
            journal=wire.to("journal", self.journal),
            log=log,
            table=table,
            inventory=inventory,
            clock=self.clock,
        )
        return Rebuilder(
            table=table,
            inventory=inventory,
            replayer=replayer,
            log=log,
            outbox=wire.to("ledger_outbox", self.ledger_outbox),
            news=wire.to("news", self.news),
            clock=self.clock,
        )

    def lose_table(self) -> None:
        """Every item, the outbox too. What was signed stays signed."""
        self.journal.restore(TableState({}, {}, {}, {}))
        for lost in (self.register.states, self.index.entries, self.news.marks, self.organisations.configs):
            lost.clear()
        self.ledger_register.state = EMPTY_LEDGER
        for names in (self.ledger_outbox.entries, self.repair.names, self.repair.unregistered, self.register.rootless):
            names.clear()

    def anchored(self, *, org_id: str = ORG) -> AnchorReport:
        """Run the anchor, given time enough."""
        return self.anchor().run(org_id, deadline_ms=self.clock.now + 60_000)

    def logged(self) -> LedgerReport:
        """Bring the ledger's own log up to what is published, given time enough."""
        return self.ledger_log().run(deadline_ms=self.clock.now + 60_000)

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
