# SPDX-License-Identifier: Apache-2.0
"""Recording while others win, or while the table answers twice."""

from __future__ import annotations

from typing import Any

import pytest

from indelible.errors import Contention
from indelible.services.append import BACKOFF_CAP_MS
from tests.fakes.chains import ORG, build_chain
from tests.fakes.world import World
from tests.faults.wire import Wire


class Stammering:
    """A journal that sends every commit twice, as an SDK does when the first answer was lost on the way."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __getattr__(self, name: str) -> object:
        return getattr(self.world.journal, name)

    def commit(self, *arguments: Any) -> None:
        self.world.journal.commit(*arguments)
        self.world.journal.commit(*arguments)


@pytest.mark.parametrize("key", [None, "key"])
@pytest.mark.parametrize("numbers", [(1,), (1, 2, 3)])
def test_a_commit_that_meets_itself_has_succeeded(numbers: tuple[int, ...], key: str | None) -> None:
    world = World()

    receipts = world.appender(Between(Stammering(world))).append(world.submission(*numbers, key=key))

    assert [receipt.sequence for receipt in receipts] == list(range(1, len(numbers) + 1))
    assert world.journal.head(ORG).sequence == len(numbers)
    assert "LostRaces" not in world.telemetry.counts
    assert world.verify().valid is True


class Rival:
    """A journal where somebody else wins every race, for a while."""

    def __init__(self, world: World, wins: int) -> None:
        self.world, self.wins, self.tries = world, wins, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self.world.journal, name)

    def commit(self, head, records, idempotency, now_ms) -> None:  # type: ignore[no-untyped-def]
        self.tries += 1
        if self.tries <= self.wins:
            built = build_chain(1, head=self.world.journal.head(ORG), start_ms=now_ms, seed=1000 + self.tries)
            self.world.journal.commit(self.world.journal.head(ORG), built, None, now_ms)
            self.world.records.seal(built[0])
        self.world.journal.commit(head, records, idempotency, now_ms)


class Between(Wire):
    """Puts another journal between the process and the table."""

    def __init__(self, journal: object) -> None:
        super().__init__()
        self.journal = journal

    def to(self, name: str, port: Any) -> Any:
        return self.journal if name == "journal" else port


def test_a_lost_race_is_run_again_with_growing_pauses() -> None:
    world = World()
    rival = Rival(world, wins=9)

    receipt = world.appender(Between(rival)).append(world.submission(1, wait_ms=60_000))[0]

    assert (receipt.sequence, rival.tries) == (10, 10)
    assert world.telemetry.counts["LostRaces"] == 9
    assert len(world.clock.sleeps) == 9
    assert all(pause <= min(BACKOFF_CAP_MS, 4 * 2**turn) for turn, pause in enumerate(world.clock.sleeps))
    assert len(set(world.clock.sleeps)) == 9, "full jitter, not a fixed pause"
    assert world.verify().valid is True


def test_contention_ends_with_the_time_and_says_that_nothing_was_recorded() -> None:
    world = World()
    began = world.clock.now
    rival = Rival(world, wins=10_000)

    with pytest.raises(Contention) as refused:
        world.appender(Between(rival)).append(world.submission(1, wait_ms=500))

    assert refused.value.retryable
    assert world.clock.now <= began + 500
    assert world.journal.head(ORG).sequence == rival.tries, "only the rival's records are there"
