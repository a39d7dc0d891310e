# SPDX-License-Identifier: Apache-2.0
"""The second line below checkpoints, by the ledger's ML-DSA-44 key. Its crashes: tests/faults."""

from __future__ import annotations

import pytest

from indelible.domain.note import ML_DSA_44, BadSignature, VerifierKey
from indelible.domain.note_keys import subtree_message
from indelible.errors import Unavailable
from indelible.services.log import LATEST
from tests.fakes.chains import ORG
from tests.fakes.second import FakeSecondSigner
from tests.fakes.world import World
from tests.faults.wire import Wire


def anchored(*, second: bool) -> World:
    world = World()
    world.second = FakeSecondSigner() if second else None
    world.record(1, 2)
    world.anchored()
    return world


def lines(world: World, path: str) -> int:
    return world.bucket.versions(f"{ORG}/_log/{path}")[-1].data.count("\u2014 ".encode())


def test_a_checkpoint_has_both_lines_and_everybody_else_goes_on_as_before() -> None:
    world = anchored(second=True)
    world.logged()
    assert world.second is not None

    published = world.log().opened(ORG, 2).note
    own, second = published.signatures
    key = VerifierKey(f"indelible/{ORG}", world.second.public_key(), ML_DSA_44)
    assert (own.name, second.name, second.key_id) == (key.name, key.name, key.key_id)
    assert second.signature == bytes(8) + world.second.signatures[0], "and no time"
    assert key.signed(published.text, second.signature)
    assert world.verify().valid is True
    assert world.prover().prove(ORG, audit_id=world.sealed()[0].audit_id).inclusion is not None


def test_without_one_there_is_one_line() -> None:
    assert lines(anchored(second=False), LATEST) == 1


def test_it_signs_after_the_first_key_and_before_anything_is_published() -> None:
    world, wire = anchored(second=True), Wire()
    world.record(3)

    world.anchor(wire).run(ORG, deadline_ms=world.clock.now + 60_000)

    order = [call for call in wire.calls if call in ("signer.sign", "second.sign", "files.latest")]
    assert order == ["signer.sign", "second.sign", "files.latest"]


def test_a_wrong_signature_is_not_published() -> None:
    world = World()
    world.second = FakeSecondSigner()
    world.second.sign = FakeSecondSigner(seed=9).sign  # type: ignore[method-assign]
    world.record(1)

    with pytest.raises(BadSignature):
        world.anchored()

    assert world.log().latest(ORG) is None


def test_a_checkpoint_waits_for_the_second_key() -> None:
    world = World()
    world.second = FakeSecondSigner()
    signed = world.second.sign

    def down(_message: bytes) -> bytes:
        raise Unavailable("no answer")

    world.second.sign = down  # type: ignore[method-assign]
    world.record(1)
    with pytest.raises(Unavailable):
        world.anchored()
    assert world.log().latest(ORG) is None

    world.second.sign = signed  # type: ignore[method-assign]
    assert world.anchored().tree_size == 1
    assert lines(world, LATEST) == 2


@pytest.mark.parametrize("first", [False, True])
def test_it_may_come_and_go(first: bool) -> None:
    world = anchored(second=first)
    world.second = None if first else FakeSecondSigner()
    world.record(3)
    world.anchored()

    assert [lines(world, f"checkpoints/{size:012d}") for size in (2, 3)] == [1 + first, 2 - first]
    assert lines(world, LATEST) == 2 - first
    assert world.verify().valid is True


def test_what_is_published_already_stays_as_it_is() -> None:
    """Published with one line by a run that died; the next run could make two."""
    world = anchored(second=False)
    log = world.signed_log()
    edge = log.edge(ORG, 2)
    before = world.bucket.versions(f"{ORG}/_log/checkpoints/{2:012d}")[0].data

    for second in (FakeSecondSigner(), FakeSecondSigner(seed=9), None):
        world.second = second
        assert world.signed_log().publish(ORG, edge, at_least_until_ms=0).data == before

    assert lines(world, LATEST) == 1
    with pytest.raises(ValueError, match="not a checkpoint"):
        subtree_message("indelible", 0, "indelible/signing-key@v1\n1\n\n")
