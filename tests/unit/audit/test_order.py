# SPDX-License-Identifier: Apache-2.0
"""The order in which failures are listed is theirs, not that of whoever found them."""

from __future__ import annotations

from random import Random

import pytest

from indelible.audit.verify import AuditRequest, audit
from indelible.domain.findings import Failure, FailureCode, in_order
from tests.fakes.audits import KEY, bucket_source
from tests.fakes.chains import ORG, build_chain
from tests.fakes.world import World


def broken() -> World:
    """A record without a lock, and long after it in the order of keys a rival of one before it."""
    world = World()
    world.record(*range(1, 7))
    world.anchored()
    chain = world.sealed()
    world.administrator.set_lock(world.administrator.key_of(ORG, 5), None)
    late = chain[-1].timestamp_ms + 86_400_000
    world.administrator.insert_record(build_chain(1, head=chain[0].head, start_ms=late, seed=3)[0])
    return world


@pytest.mark.parametrize("fast", [True, False])
def test_the_command_lists_them_by_sequence(fast: bool) -> None:
    verdict = audit(bucket_source(broken().bucket), AuditRequest(key=KEY, fast=fast))

    assert [(one.code.value, one.sequence) for one in verdict.failures] == [("FORK", 2), ("UNLOCKED", 5)]


def test_and_so_does_the_api() -> None:
    assert [(one.code.value, one.sequence) for one in broken().verify().failures] == [("FORK", 2), ("UNLOCKED", 5)]


def test_whatever_order_they_came_in() -> None:
    listed = [
        Failure(FailureCode.UNLOCKED, 2, "the object has no lock"),
        Failure(FailureCode.CONTENT_MISMATCH, 3, "a"),
        Failure(FailureCode.CONTENT_MISMATCH, 3, "b"),
        Failure(FailureCode.MISSING, 3, "there is no such record"),
        Failure(FailureCode.MISSING, 3, "there is no such record", through=4),
        Failure(FailureCode.FORK, 3, "this sequence has more than one record", s3_key="a"),
        Failure(FailureCode.FORK, 3, "this sequence has more than one record", s3_key="b"),
        Failure(FailureCode.CONTENT_MISMATCH, 10, "a"),
        Failure(FailureCode.UNKNOWN_FORMAT, None, "an object that is no record lies among the records"),
        Failure(FailureCode.BAD_SIGNATURE, None, "the latest checkpoint: no known key signed the note"),
    ]
    for seed in range(20):
        shuffled = listed[:]
        Random(seed).shuffle(shuffled)
        assert in_order(shuffled) == listed
