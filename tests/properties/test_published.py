# SPDX-License-Identifier: Apache-2.0
"""Any byte of anything that was recorded or published, changed: somebody notices, and nobody is told a falsehood."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indelible.domain import merkle
from indelible.errors import LedgerError
from indelible.services.ranges import Range
from tests.fakes.chains import ORG
from tests.fakes.world import World

SIZES = {"small": (3, 7, 9), "over a tile": (250, 258)}
LOCATED = f"{ORG}/_log/"


def world_of(*sizes: int) -> World:
    world = World()
    for old, new in zip((0, *sizes), sizes, strict=False):
        for start in range(old, new, 90):
            world.record(*range(start + 1, min(start + 90, new) + 1))
        world.anchored()
    return world


@cache
def names(shape: str) -> list[str]:
    """But for key statements: with one key nobody asks what they say. tests/unit/services/test_keys.py has theirs."""
    return sorted(name for name in world_of(*SIZES[shape]).bucket.stacks if not name.startswith("_ledger/_log/keys/"))


def change(world: World, name: str, version: int, position: int, by: int, *, fresh: bool) -> None:
    """Of a record in place or with a fresh checksum; the latest checkpoint as a newer version."""
    stack = world.bucket.versions(name)
    data = bytearray(stack[version % len(stack)].data)
    data[position % len(data)] ^= by
    if name.endswith("/checkpoint"):
        world.administrator.lay_newer_version(name, bytes(data))
    elif fresh:
        world.administrator.rewrite(name, bytes(data))
    else:
        world.administrator.rot(name, bytes(data))


def verify_or_anchor_notices(world: World) -> bool:
    if world.verify().valid is False:
        return True
    world.record(1000)
    try:
        return bool(world.anchored().broken)
    except LedgerError:
        return True


def readers_notice(world: World, sizes: tuple[int, ...]) -> bool:
    """Whoever reads what was changed: ranges, proofs of records, proofs between checkpoints."""
    log, noticed = world.log(), False
    ends = {1, sizes[0] - 1, sizes[0], sizes[0] + 1, sizes[-1] - 1}
    for end in ends:
        noticed |= world.verify(Range(end_seq=end)).valid is False
        noticed |= world.verify(Range(start_seq=end + 1)).valid is False
    for entry in world.sealed():
        try:
            proof = world.prover().prove(ORG, audit_id=entry.audit_id)
        except LedgerError:
            noticed = True
        else:
            assert proof.record == entry
    for old, new in combinations(sizes, 2):
        roots = [log.opened(ORG, size).checkpoint.root for size in (old, new)]
        try:
            merkle.verify_consistency(old, new, roots[0], roots[1], log.consistency(ORG, old, new))
        except ValueError:
            noticed = True
    return noticed


@pytest.mark.parametrize("shape", SIZES)
@settings(max_examples=60, deadline=None)
@given(
    which=st.integers(0, 10_000),
    version=st.integers(0, 10),
    position=st.integers(0, 100_000),
    by=st.integers(1, 255),
    fresh=st.booleans(),
)
def test_a_record_or_a_checkpoint(shape: str, which: int, version: int, position: int, by: int, fresh: bool) -> None:
    evidence = [name for name in names(shape) if "/_log/tile/" not in name]
    # Half of the draws are checkpoints: there are few.
    signed = [name for name in evidence if name.startswith(LOCATED)]
    pool = signed if which % 2 else evidence
    world = world_of(*SIZES[shape])
    name = pool[which // 2 % len(pool)]
    change(world, name, version, position, by, fresh=fresh)

    assert verify_or_anchor_notices(world), f"{name}, byte {position}"


@settings(max_examples=80, deadline=None)
@given(which=st.integers(0, 10_000), position=st.integers(0, 100_000), by=st.integers(1, 255))
def test_a_tile_or_a_bundle(which: int, position: int, by: int) -> None:
    """A file that only proofs of old sizes need is noticed by them; no proof from it is ever believed."""
    sizes = SIZES["small"]
    files = [name for name in names("small") if "/_log/tile/" in name]
    world = world_of(*sizes)
    name = files[which % len(files)]
    change(world, name, 0, position, by, fresh=True)

    assert readers_notice(world, sizes) or verify_or_anchor_notices(world), f"{name}, byte {position}"
