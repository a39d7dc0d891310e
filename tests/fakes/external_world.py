# SPDX-License-Identifier: Apache-2.0
"""A ledger with a log of its own, and an anchoring provider of each kind."""

from __future__ import annotations

from dataclasses import dataclass, field

from indelible.domain import note as notes
from indelible.domain.note import VerifierKey
from indelible.services.external_anchors import ExternalAnchors, ExternalReport, Kind
from indelible.services.log import LEDGER
from tests.fakes.chains import RETENTION
from tests.fakes.external import FakeAnchorFiles, FakeAuthority, FakeCalendar, FakeWitness
from tests.fakes.log import LEDGER_NAME
from tests.fakes.machine import SequentialWorkers
from tests.fakes.world import Wiring, World

_LOG = f"{LEDGER}/_log/"


@dataclass
class ExternalWorld:
    """What outlives every process, the providers' state too."""

    world: World = field(default_factory=World)
    authority: FakeAuthority = field(init=False)
    calendar: FakeCalendar = field(init=False)
    witness: FakeWitness = field(init=False)
    quorum: int = 1
    _records: int = 0

    def __post_init__(self) -> None:
        self.world.bucket.now_ms = self.world.clock.now_ms
        self.authority = FakeAuthority(self.published, "tsa")
        self.calendar = FakeCalendar(self.published, "alice")
        self.witness = FakeWitness(self.published, "eve", clock=self.world.clock)

    def published(self) -> dict[bytes, int]:
        """The ledger's checkpoints, byte for byte."""
        prefix = f"{_LOG}checkpoints/"
        return {
            self.world.bucket.versions(key)[0].data: int(key.removeprefix(prefix))
            for key in self.world.bucket.keys(prefix)
        }

    def grow(self, times: int = 1) -> int:
        """One more checkpoint of the ledger's log for each; the size of the last."""
        for _ in range(times):
            self._records += 1
            self.world.record(self._records)
            self.world.anchored()
            self.world.logged()
        return self._records

    def external_anchors(self, wiring: Wiring | None = None, *, backwards: bool = False) -> ExternalAnchors:
        """A fresh process of external anchoring."""
        wire = wiring or Wiring()
        return ExternalAnchors(
            log=self.world.log(wire),
            files=wire.to("files", self.world.files),
            anchors=wire.to("anchors", FakeAnchorFiles(self.world.bucket)),
            authorities=[wire.to("authority", self.authority)],
            calendars=[wire.to("calendar", self.calendar)],
            witnesses=[wire.to("witness", self.witness)],
            quorum=self.quorum,
            retention=RETENTION,
            workers=SequentialWorkers(backwards=backwards),
            clock=self.world.clock,
            telemetry=self.world.telemetry,
        )

    def run(self, kind: Kind = "news", wiring: Wiring | None = None, *, budget_ms: int = 60_000) -> ExternalReport:
        """One run, in a process of its own."""
        return self.external_anchors(wiring).run(kind, deadline_ms=self.world.clock.now + budget_ms)

    def stored(self) -> list[str]:
        """Paths below `anchors/`, in order."""
        prefix = f"{_LOG}anchors/"
        return sorted(key.removeprefix(prefix) for key in self.world.bucket.keys(prefix))

    def read(self, path: str) -> bytes:
        """A file of the ledger's log; of `checkpoint` the newest version."""
        found = self.world.files.read(LEDGER, path)
        assert found is not None, path
        return found

    def latest(self) -> tuple[int, set[str]]:
        """Size of the latest checkpoint, and the names of whoever signed it, all verified."""
        note = notes.parse_note(self.read("checkpoint"))
        keys = [VerifierKey(LEDGER_NAME, self.world.signer.public_key()), self.witness.key]
        signed = notes.verify(note, keys)
        assert len(note.signatures) == len(signed), "a line that nobody knows"
        return int(note.text.split("\n")[1]), {key.name for key in signed}
