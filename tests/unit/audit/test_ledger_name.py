# SPDX-License-Identifier: Apache-2.0
"""Which ledger this is, where the pinned key does not say it: no file that somebody puts beside the others decides."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from indelible.audit.keys import Pinned, ledger_name
from indelible.audit.verify import AuditRequest, audit
from indelible.domain.findings import FailureCode
from indelible.services.log import LATEST, MOST_FOREIGN, checkpoint_path
from tests.fakes.audits import KEY, bucket_source
from tests.fakes.chains import ORG
from tests.fakes.log import LEDGER_NAME
from tests.fakes.world import World

PEM = Pinned(KEY.public_key)
"""A PEM names no ledger."""
OTHER = Pinned(bytes(31) + b"\x01")
STRANGERS: dict[str, Callable[[bytes], bytes]] = {
    "rubbish": lambda _: b"rubbish",
    "not text": lambda _: b"\xff\xfe",
    "another name": lambda note: note.replace(LEDGER_NAME.encode(), b"evil"),
    "a name that no key has": lambda note: note.replace(LEDGER_NAME.encode(), b"e v+l"),
    "a file without a name": lambda note: note.replace(LEDGER_NAME.encode(), b""),
}


def grown() -> World:
    """Checkpoints of sizes 3, 4 and 5."""
    world = World()
    world.record(1, 2)
    for number in (3, 4, 5):
        world.record(number)
        world.anchored()
    return world


def put(world: World, size: int, data: bytes) -> None:
    world.administrator.insert(f"{ORG}/_log/{checkpoint_path(size)}", data, None)


@pytest.mark.parametrize("pinned", [PEM, OTHER, None], ids=["the ledger's key", "another key", "no key"])
@pytest.mark.parametrize("what", STRANGERS)
def test_a_strange_file_under_a_low_size_decides_nothing(what: str, pinned: Pinned | None) -> None:
    world = grown()
    put(world, 1, STRANGERS[what](world.log().opened(ORG, 3).note.data))

    assert ledger_name(bucket_source(world.bucket), pinned) == LEDGER_NAME


def test_it_is_one_failure_and_no_more() -> None:
    world = grown()
    put(world, 1, b"rubbish")

    verdict = audit(bucket_source(world.bucket), AuditRequest(key=PEM))

    assert [(one.code, one.sequence) for one in verdict.failures] == [(FailureCode.CHECKPOINT_MISMATCH, 1)]
    assert verdict.checkpoint is not None
    assert verdict.checkpoint.size == 5


def test_what_the_pinned_key_signed_outweighs_any_number_of_others() -> None:
    world = grown()
    evil = STRANGERS["another name"](world.log().opened(ORG, 3).note.data)
    for size in range(10, 20):
        put(world, size, evil)
    world.administrator.lay_newer_version(f"{ORG}/_log/{LATEST}", evil)

    assert ledger_name(bucket_source(world.bucket), PEM) == LEDGER_NAME
    assert ledger_name(bucket_source(world.bucket), OTHER) == "evil"


def test_only_so_many_are_looked_at() -> None:
    world = World()
    world.record(1)
    for size in range(1, 3 * MOST_FOREIGN):
        put(world, size, b"rubbish")
    source, read = bucket_source(world.bucket), list[int]()
    checkpoints = source.checkpoints

    def counted(owner: str, *, at_least: int) -> object:
        for size, note in checkpoints(owner, at_least=at_least):
            read.append(size)
            yield size, note

    source.checkpoints = counted  # type: ignore[method-assign, assignment]

    assert ledger_name(source, PEM) is None
    assert len(read) <= MOST_FOREIGN + 1
