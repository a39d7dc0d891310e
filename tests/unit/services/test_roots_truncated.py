# SPDX-License-Identifier: Apache-2.0
"""Verify misses the end of a chain that was cut off, together with the table's head, below a signed root."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from indelible.services.ranges import Range
from tests.fakes.chains import ORG
from tests.fakes.world import World
from tests.unit.services.test_roots import found, key, world_of


def cut(world: World, after: int) -> None:
    """Remove the records beyond a sequence, and set the table back with them."""
    kept = world.sealed()[:after]
    for entry in world.sealed()[after:]:
        world.administrator.remove(entry.s3_key)
    world.administrator.set_head(ORG, kept[-1].head)


LATESTS: dict[str, Callable[[World], None]] = {
    "as it was": lambda world: None,
    "gone": lambda world: world.administrator.remove(key("checkpoint")),
    "hidden": lambda world: world.administrator.lay_delete_marker(key("checkpoint")),
    "set back": lambda world: world.administrator.lay_newer_version(
        key("checkpoint"), world.bucket.versions(key("checkpoint"))[0].data
    ),
}


@pytest.mark.parametrize("latest", LATESTS)
@pytest.mark.parametrize("left", [2, 3, 4, 6, 7, 11])
def test_an_end_that_was_cut_off_is_missed_though_the_table_went_back_with_it(latest: str, left: int) -> None:
    world = world_of(3, 7, 12)
    cut(world, left)
    LATESTS[latest](world)

    whole = found(world.verify())

    assert whole == [("TRUNCATED", left + 1)]
    for start in range(2, left + 2):
        assert ("TRUNCATED", left + 1) in found(world.verify(Range(start_seq=start))), f"from {start}"


def test_everything_cut_off_is_missed() -> None:
    world = world_of(3, 7)
    for entry in world.sealed():
        world.administrator.remove(entry.s3_key)
    world.journal.heads.clear()

    assert found(world.verify()) == [("TRUNCATED", 1)]
