# SPDX-License-Identifier: Apache-2.0
"""The proof between two published checkpoints, and what it is refused for."""

from __future__ import annotations

from itertools import combinations_with_replacement

import pytest

from indelible.domain.checkpoint import open_checkpoint
from indelible.domain.merkle import verify_consistency
from indelible.errors import EvidenceBroken, InvalidField, NotFound
from indelible.services.consistency import Consistency
from indelible.services.log import LEDGER
from tests.fakes.chains import ORG
from tests.fakes.world import World

SIZES = (2, 3, 7)


def grown() -> World:
    """A log with three checkpoints, and the ledger's with as many."""
    world = World()
    for size in SIZES:
        world.record(*range(len(world.sealed()) + 1, size + 1))
        world.anchored()
        world.logged()
    return world


@pytest.mark.parametrize(("owner", "sizes"), [(ORG, SIZES), (LEDGER, (1, 2, 3))], ids=["organisation", "ledger"])
def test_any_two_checkpoints_have_a_proof_that_stands_alone(owner: str, sizes: tuple[int, ...]) -> None:
    world = grown()
    key = world.signer.public_key()
    for old, new in combinations_with_replacement(sizes, 2):
        found = Consistency(world.log()).between(owner, old, new)
        origin = world.log().origin(owner)
        first, second = (
            open_checkpoint(one.note.data, origin=origin, public_keys=[key]).checkpoint
            for one in (found.old, found.new)
        )
        assert (first.size, second.size) == (old, new)
        verify_consistency(old, new, first.root, second.root, found.hashes)


@pytest.mark.parametrize(
    ("old", "new", "field"), [(1, 3, "old_size"), (2, 4, "new_size"), (2, 8, "new_size"), (4, 6, "old_size")]
)
def test_a_size_that_was_never_published_is_not_found_and_named(old: int, new: int, field: str) -> None:
    with pytest.raises(NotFound) as refused:
        Consistency(grown().log()).between(ORG, old, new)
    assert refused.value.field == field


def test_from_the_larger_to_the_smaller_is_no_question() -> None:
    with pytest.raises(InvalidField) as refused:
        Consistency(grown().log()).between(ORG, 7, 2)
    assert refused.value.field == "old_size"


@pytest.mark.parametrize("path", ["checkpoints/000000000003", "tile/0/000.p/7"])
def test_a_log_that_was_changed_proves_nothing(path: str) -> None:
    world = grown()
    name = f"{ORG}/_log/{path}"
    data = world.bucket.versions(name)[0].data
    world.administrator.rewrite(name, data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])

    with pytest.raises(EvidenceBroken):
        Consistency(world.log()).between(ORG, 3, 7)
