# SPDX-License-Identifier: Apache-2.0
"""Work for the anchor: records that were committed and not sealed, and hints that were lost."""

from __future__ import annotations

from indelible.errors import LedgerError
from indelible.services.anchor import AnchorReport
from tests.fakes.chains import ORG
from tests.fakes.world import World
from tests.faults.oracle import Client
from tests.faults.wire import Fault, Killed, Wire


def world_with_leftovers() -> World:
    """Five committed records: 2 and 5 only in the outbox, the index entry of 3 lost, nothing anchored yet."""
    world = World()
    for number in range(1, 6):
        wire = Wire()
        appender = world.appender(wire)
        if number in (2, 5):
            wire.fault = Fault(4, "before", "outage")
        client = Client(world, world.submission(number))
        client.ask(appender)
        assert bool(client.errors) == (number in (2, 5))
    lost = world.sealed()[1]
    assert lost.sequence == 3
    del world.index.entries[ORG, lost.tx_hash]
    assert world.waiting() == [1, 2, 3, 4, 5]
    return world


def run(world: World, wire: Wire | None = None) -> AnchorReport | None:
    try:
        return world.anchor(wire).run(ORG, deadline_ms=world.clock.now + 60_000)
    except (LedgerError, Killed):
        return None
