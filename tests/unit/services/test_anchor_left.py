# SPDX-License-Identifier: Apache-2.0
"""What a run of the anchor leaves undone: how old that is, and that the outbox keeps it."""

from __future__ import annotations

import pytest

from indelible.domain import audit_id as audit_ids
from indelible.domain import record
from indelible.domain.findings import FailureCode
from indelible.errors import EvidenceBroken
from indelible.services.log import checkpoint_path
from tests.fakes.chains import ORG
from tests.fakes.world import World
from tests.faults.wire import Fault, Killed, Wire
from tests.unit.services.test_anchor import key


def test_after_a_loss_of_the_table_the_lag_is_that_of_the_first_record_that_is_known() -> None:
    world = World()
    world.record(1)
    world.clock.advance(60_000)
    world.record(2)
    world.lose_table()
    world.rebuilder().run(ORG, apply=True)
    world.administrator.remove(world.administrator.key_of(ORG, 1))
    world.clock.advance(5_000)

    report = world.anchored()

    assert [failure.code for failure in report.broken] == [FailureCode.MISSING]
    assert report.behind_ms == world.anchor().behind_ms(ORG) == 5_000


def test_a_stranger_s_key_does_not_make_the_lag_longer_than_it_can_be() -> None:
    world = World()
    world.record(1)
    world.anchored()
    world.clock.advance(5_000)
    entry = world.sealed()[0]
    name = audit_ids.encode(0, 2, 0)
    world.administrator.insert(f"{record.day_prefix(ORG, entry.timestamp_ms)}{2:012d}-{name}.json", b"junk", None)

    assert world.anchor().behind_ms(ORG) == 5_000


def test_the_lag_of_what_is_nowhere_is_unknown() -> None:
    world = World()
    world.record(1)
    world.administrator.remove(world.administrator.key_of(ORG, 1))
    world.journal.waiting[ORG].clear()

    assert world.anchored().behind_ms is None
    assert world.anchor().behind_ms(ORG) is None


@pytest.mark.parametrize("instead", [None, b"junk"])
def test_the_word_of_the_table_alone_does_not_empty_the_outbox(instead: bytes | None) -> None:
    world, wire = World(), Wire()
    world.record(1, 2)
    world.anchor(wire).run(ORG, deadline_ms=world.clock.now + 60_000)
    at = wire.calls.index("journal.clear")
    world = World()
    world.record(1, 2)
    with pytest.raises(Killed):
        world.anchor(Wire(Fault(at, "after", "kill"))).run(ORG, deadline_ms=world.clock.now + 60_000)
    assert (world.register.read(ORG).tree_size, world.register.read(ORG).cleared) == (2, 0)
    name = key(checkpoint_path(2))
    world.administrator.remove_versions(name)
    if instead is not None:
        world.administrator.insert(name, instead, None)

    with pytest.raises(EvidenceBroken):
        world.anchored()
    assert world.waiting() == [1, 2]
