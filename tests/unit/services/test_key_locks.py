# SPDX-License-Identifier: Apache-2.0
"""Key statements outlive what is signed: their locks are lengthened before anything is that is kept for longer."""

from __future__ import annotations

import pytest

from indelible.domain import instants
from indelible.domain.record import Retention
from tests.fakes.chains import ORG
from tests.fakes.world import World
from tests.faults.leftovers import run
from tests.faults.wire import WHENS, Fault, Wire
from tests.unit.services.test_keys import anchored, key_of


def locked_until_ms(world: World, generation: int) -> int:
    lock = world.bucket.versions(key_of(generation))[0].lock
    assert lock is not None
    return lock.retain_until_ms


def longest_kept_ms(world: World) -> int:
    """Until when the last of what was signed is kept."""
    signed = [key for key in world.bucket.stacks if "/_log/checkpoint" in key]
    return max(version.lock.retain_until_ms for key in signed for version in world.bucket.versions(key) if version.lock)


def test_statements_are_kept_for_as_long_as_an_organisation_keeps_its_records() -> None:
    world = anchored()
    world.rotate()
    long = world.submission(3, retention=Retention("COMPLIANCE", 36_500))
    world.appender().append(long)
    world.anchored()

    assert longest_kept_ms(world) == world.sealed()[-1].retain_until_ms
    for generation in (1, 2):
        assert locked_until_ms(world, generation) >= longest_kept_ms(world)


def test_statements_outlive_what_is_signed_years_later_and_are_not_touched_every_day() -> None:
    world, lengthened = anchored(), set[int]()
    for number in range(3, 103):
        world.clock.advance(instants.DAY_MS)
        world.record(number)
        world.anchored()
        assert locked_until_ms(world, 1) >= longest_kept_ms(world)
        lengthened.add(locked_until_ms(world, 1))
    assert len(lengthened) <= 5


def test_one_process_asks_for_a_lock_once_for_as_long_as_it_is_enough() -> None:
    world, wire = World(), Wire()
    anchor = world.anchor(wire)
    for number in range(1, 4):
        world.record(number)
        anchor.run(ORG, deadline_ms=world.clock.now + 60_000)

    assert wire.calls.count("files.extend_lock") == 1


@pytest.mark.parametrize("when", WHENS)
def test_nothing_is_signed_under_a_statement_whose_lock_cannot_be_made_longer(when: str) -> None:
    world = anchored()
    world.clock.advance(400 * instants.DAY_MS)
    world.record(3)
    honest, wire = anchored(), Wire()
    honest.clock.advance(400 * instants.DAY_MS)
    honest.record(3)
    run(honest, wire)
    signatures = world.signer.signatures

    assert run(world, Wire(Fault(wire.calls.index("files.extend_lock") + 1, when, "error"))) is None  # type: ignore[arg-type]
    assert world.signer.signatures == signatures
    world.anchored()
    assert locked_until_ms(world, 1) >= longest_kept_ms(world)
