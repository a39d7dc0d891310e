# SPDX-License-Identifier: Apache-2.0
"""An operator who places and releases legal holds, on the in-memory world."""

from __future__ import annotations

import json
from contextlib import suppress

from indelible.domain import record
from indelible.domain.findings import Lock
from indelible.domain.record import ADMIN_ORG
from indelible.services.admin_log import AdminLog
from indelible.services.holds import HoldReport, Holds
from indelible.services.ranges import Range
from tests.fakes.bucket import AccessDenied
from tests.fakes.chains import ORG, RETENTION
from tests.fakes.external import FakeAnchorFiles
from tests.fakes.holds import FakeLegalHolds
from tests.fakes.machine import SequentialWorkers
from tests.fakes.table import FakeSecretSource
from tests.fakes.world import World
from tests.unit.services.test_export import exporter

ACTOR = "arn:aws:iam::123456789012:user/counsel"
WHY = "Smith v. Acme, 26-1142"
DAY_MS = 86_400_000


class Office:
    """An operator who holds and lets go; twelve records on three days, four a day, all anchored but the last two."""

    def __init__(self) -> None:
        self.world = World()
        self.world.bucket.now_ms = self.world.clock.now_ms
        self.world.clock.now = self.world.clock.now // DAY_MS * DAY_MS
        for number in range(1, 13):
            self.world.record(number)
            self.world.clock.advance(DAY_MS if number % 4 == 0 else 1000)
            if number in (3, 6, 10):
                self.anchored()
        self.flags = FakeLegalHolds(self.world.bucket)
        self.told: list[int] = []

    def anchored(self) -> None:
        self.world.anchored()
        self.world.logged()
        size = self.world.ledger_register.state.tree_size
        key = f"_ledger/_log/anchors/{size:012d}/rfc3161-authority.tsr"
        self.world.administrator.insert(key, b"token %d" % size, Lock("COMPLIANCE", 2_200_000_000_000))

    def admin_log(self) -> AdminLog:
        return AdminLog(
            appender=self.world.appender(),
            organisations=self.world.organisations,
            secrets=FakeSecretSource(),
            clock=self.world.clock,
            retention=RETENTION,
            actor=ACTOR,
        )

    def holds(self) -> Holds:
        world, anchors = self.world, FakeAnchorFiles(self.world.bucket)
        return Holds(
            records=world.records,
            files=world.files,
            anchored=lambda at_least: ((one.size, one.file) for one in anchors.stored(at_least=at_least)),
            flags=self.flags,
            admin_log=self.admin_log(),
            secrets=FakeSecretSource(),
            workers=SequentialWorkers(),
            clock=world.clock,
        )

    def place(
        self, start: int | None = None, end: int | None = None, *, org_id: str = ORG, why: str = WHY
    ) -> HoldReport:
        return self.holds().place(org_id, Range(start, end), why, progress=self.told.append)

    def release(self, done: HoldReport, *, why: str = "settled") -> HoldReport:
        return self.holds().release(done.hold.org_id, done.hold.hold_id, why, progress=self.told.append)

    def held(self, org_id: str = ORG) -> list[int]:
        """Sequences of the held records."""
        return sorted({found.sequence for key, _ in self.world.bucket.held if (found := parsed(key, org_id))})

    def clear_out(self) -> None:
        """Retention has ended, and an administrator deletes whatever S3 lets them."""
        self.world.clock.now = 2_500_000_000_000
        for key in list(self.world.bucket.stacks):
            with suppress(AccessDenied):
                self.world.administrator.delete(key)

    def bundle(self, start: int, end: int, org_id: str = ORG) -> bytes:
        anchors = FakeAnchorFiles(self.world.bucket)
        made = exporter(
            self.world, anchored=lambda at_least: ((one.size, one.file) for one in anchors.stored(at_least=at_least))
        )
        return b"".join(made.bundle(org_id, Range(start, end)).pieces())

    def acts(self) -> list[dict[str, object]]:
        return [json.loads(one.data)["event"] for one in self.world.sealed(ADMIN_ORG)]


def parsed(key: str, org_id: str) -> record.RecordKey | None:
    found = record.parse_key(key)
    return found if found is not None and found.org_id == org_id else None
