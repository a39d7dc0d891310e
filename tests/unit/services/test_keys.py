# SPDX-License-Identifier: Apache-2.0
"""Pinning the signing keys: before anything is signed, once, by whichever anchor comes first."""

from __future__ import annotations

import pytest

from indelible.domain.findings import FailureCode
from indelible.domain.keyring import KeyRing, RingKey, parse_statement, statement_path
from indelible.domain.note import parse_note
from indelible.errors import ConfigurationError, EvidenceBroken
from indelible.services.keys import HANDOVER_MS
from indelible.services.log import LEDGER
from indelible.services.ranges import Range
from indelible.services.signed_log import SignedLog
from tests.fakes.chains import ORG, RETENTION
from tests.fakes.log import FakeSigner
from tests.fakes.machine import ManualClock
from tests.fakes.world import World
from tests.faults.leftovers import run
from tests.faults.wire import HOWS, WHENS, Fault, Wire

UNTIL_MS = RETENTION.until_ms(ManualClock().now)


def anchored(*numbers: int) -> World:
    world = World()
    world.record(*(numbers or (1, 2)))
    world.anchored()
    return world


def key_of(generation: int) -> str:
    return f"{LEDGER}/_log/{statement_path(generation)}"


def pinned(world: World) -> list[int]:
    return [int(key[-4:]) for key in world.bucket.keys(key_of(1)[:-4])]


def test_the_first_run_pins_the_key_before_it_signs_with_it() -> None:
    world = anchored()

    stated = parse_statement(parse_note(world.bucket.versions(key_of(1))[0].data).text)

    assert (stated.generation, stated.public_key) == (1, world.signer.public_key())
    assert stated.valid_from_ms == world.clock.now, "and not from when the ledger was deployed"
    assert world.keys().stated().newest.statement is not None


def test_a_run_without_news_pins_nothing() -> None:
    world = World()
    world.anchored()

    assert pinned(world) == []
    assert world.keys().ring().public_keys == (world.signer.public_key(),)


def test_a_round_of_a_quiet_ledger_pins_a_new_key() -> None:
    world = anchored()
    world.rotate()

    world.ledger_log().run(deadline_ms=world.clock.now + 60_000)

    assert pinned(world) == [1, 2]
    assert [key.generation for key in world.keys().stated().keys] == [1, 2]
    assert world.signer.signatures == 1, "the statement, and no checkpoint"


def test_a_ledger_with_one_key_reads_no_statement_to_prove_and_verify() -> None:
    world = anchored()
    wire, before = Wire(), world.files.reads[statement_path(1)]

    world.prover(wire).prove(ORG, audit_id=world.sealed()[0].audit_id)
    assert world.verifier(wire).verify(ORG, Range(), deadline_ms=world.clock.now + 60_000).valid is True

    assert world.files.reads[statement_path(1)] == before


def test_a_rotation_is_signed_by_both_keys_and_everything_stays_verifiable() -> None:
    world = anchored()
    world.rotate()
    world.record(3)
    world.anchored()

    old, new = world.keys().ring().keys
    assert pinned(world) == [1, 2]
    assert (old.valid_until_ms, new.valid_until_ms) == (world.clock.now + HANDOVER_MS, None)
    assert new.valid_from_ms == old.valid_until_ms
    assert [world.log().opened(ORG, size).signed_by for size in (2, 3)] == [(old.public_key,), (new.public_key,)]
    assert world.verify().valid is True
    for entry in world.sealed():
        assert world.prover().prove(ORG, audit_id=entry.audit_id).checkpoint is not None


def test_an_old_key_must_not_sign_for_records_from_its_end_on() -> None:
    world = anchored()
    old = list(world.signers)
    world.rotate()
    world.record(3)
    world.anchored()
    end = world.keys().ring().keys[0].valid_until_ms
    assert end is not None
    world.clock.now = end - 1
    world.record(4)
    signed_by(world, old, 4)
    assert world.verify().valid is True, "until then it may: a run that began before is allowed to end"
    world.clock.now = end
    world.record(5)
    signed_by(world, old, 5)
    world.record(6)
    world.anchored()

    verdict = world.verify()

    assert [(failure.code, failure.sequence) for failure in verdict.failures] == [(FailureCode.BAD_SIGNATURE, 5)]
    assert verdict.checkpoint is not None
    assert verdict.checkpoint.size == 6, "those after it count"
    with pytest.raises(EvidenceBroken):
        world.prover().prove(ORG, audit_id=world.sealed()[4].audit_id)


def signed_by(world: World, signers: list[FakeSigner], size: int) -> None:
    """A run with an old key that nothing holds back: as by somebody who has stolen it."""
    now, world.signers = world.signers, signers
    log = world.signing_keys()
    log._refuse_successor = lambda _: None  # type: ignore[method-assign]
    anchor = world.anchor()
    anchor._log = SignedLog(
        files=world.files,
        ledger_name="indelible",
        keys=lambda: KeyRing("indelible", tuple(RingKey(1, signer.public_key()) for signer in now)),
        signer=log.signer,
        retention=RETENTION,
        clock=world.clock,
    )
    assert anchor.run(ORG, deadline_ms=world.clock.now + 60_000).tree_size == size
    world.signers = now


def test_two_rotations_at_once_are_two_statements() -> None:
    world = anchored()
    world.rotate()
    world.rotate()
    world.record(3)
    world.anchored()

    assert pinned(world) == [1, 2, 3]
    assert world.verify().valid is True


def test_a_ring_is_one_get_for_each_generation_and_then_none() -> None:
    world = anchored()
    world.rotate()
    world.record(3)
    world.anchored()
    wire = Wire()
    keys = world.keys(wire)

    keys.ring()
    cold = [call for call in wire.calls if call.startswith("files.")]
    wire.calls.clear()
    keys.ring()

    assert cold == ["files.current", "files.current"]
    assert wire.calls == []


def test_until_the_new_key_is_pinned_the_old_one_counts() -> None:
    world = anchored()
    world.rotate()
    keys = world.keys()

    assert keys.ring().public_keys == (world.signers[0].public_key(),)
    assert world.verify().valid is True
    world.record(3)
    world.anchored()
    assert keys.ring().public_keys == tuple(signer.public_key() for signer in world.signers), "without a new process"


def test_a_ledger_that_pinned_nothing_yet_may_have_two_keys() -> None:
    world = World()
    world.rotate()
    assert world.keys().ring().public_keys == (world.signers[0].public_key(),)
    world.record(1)
    world.anchored()

    assert pinned(world) == [1, 2]
    assert world.verify().valid is True


def test_the_slower_of_two_anchors_takes_the_statement_of_the_faster() -> None:
    world = anchored()
    world.rotate()
    slow = world.signing_keys()
    assert slow.ring().newest.generation == 1
    world.record(3)
    world.anchored()
    world.clock.now += 1

    assert slow.signer(UNTIL_MS).public_key() == world.signer.public_key()
    assert len(world.bucket.versions(key_of(2))) == 1
    assert slow.ring() == world.keys().ring()


def test_an_anchor_that_does_not_know_the_successor_signs_nothing() -> None:
    world = anchored()
    old = list(world.signers)
    world.rotate()
    world.record(3)
    world.anchored()
    world.signers = old

    with pytest.raises(ConfigurationError):
        world.signing_keys().signer(UNTIL_MS)


@pytest.mark.parametrize("generation", [1, 2])
@pytest.mark.parametrize("what", ["marker", "version"])
def test_what_lies_over_a_statement_changes_nothing(generation: int, what: str) -> None:
    world = anchored()
    world.rotate()
    world.record(3)
    world.anchored()
    if what == "marker":
        world.administrator.lay_delete_marker(key_of(generation))
    else:
        world.administrator.lay_newer_version(key_of(generation), b"junk")

    assert len(world.keys().ring().keys) == 2
    assert world.verify().valid is True
    assert world.signing_keys().signer(UNTIL_MS).public_key() == world.signer.public_key()


@pytest.mark.parametrize("generation", [1, 2])
def test_junk_in_the_place_of_a_statement_is_announced_and_the_anchor_goes_on(generation: int) -> None:
    world = World() if generation == 1 else anchored()
    if generation == 2:
        world.rotate()
    world.administrator.insert(key_of(generation), b"junk", None)
    world.signer.refuses_unpinned = False
    world.record(3)

    report = world.anchored()

    assert report.records == 1
    assert world.telemetry.counts["ForeignFiles"] == 1
    assert world.log().opened(ORG, report.tree_size).signed_by == (world.signers[0].public_key(),)
    assert world.verify().valid is True


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("when", WHENS)
def test_every_call_of_a_rotation_fails_in_every_way(when: str, how: str) -> None:
    def rotated() -> World:
        world = anchored()
        world.rotate()
        world.record(3)
        return world

    honest, wire = rotated(), Wire()
    assert run(honest, wire) is not None
    for at, name in enumerate(wire.calls, start=1):
        world = rotated()
        run(world, Wire(Fault(at, when, how)))  # type: ignore[arg-type]
        assert world.verify().valid is True, f"{name} {when} {how}"
        world.clock.now += 1000
        assert run(world) is not None
        assert (pinned(world), world.verify().valid) == ([1, 2], True), f"{name} {when} {how}"
        assert len(world.keys().ring().keys) == 2
