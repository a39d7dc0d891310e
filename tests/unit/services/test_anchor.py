# SPDX-License-Identifier: Apache-2.0
"""What the anchor signs, what it refuses to sign, and what it leaves in the bucket. Its crashes: tests/faults."""

from __future__ import annotations

import pytest

from indelible.domain import instants
from indelible.domain.findings import Lock
from indelible.domain.record import Retention
from indelible.errors import EvidenceBroken, HeadRegressed
from indelible.ports import NOTHING_COVERED
from indelible.services import anchor as anchors
from indelible.services.log import checkpoint_path
from indelible.services.rounds import Rounds
from tests.fakes.chains import ORG, build_chain
from tests.fakes.world import World
from tests.faults.oracle import assert_log
from tests.faults.wire import Wire


def anchored(*batches: int) -> World:
    """A world in which each batch of so many records was anchored by itself."""
    world, last = World(), 0
    for batch in batches:
        world.record(*range(last + 1, last + batch + 1))
        last += batch
        assert world.anchored().tree_size == last
    return world


def key(path: str) -> str:
    return f"{ORG}/_log/{path}"


def log_keys(world: World) -> list[str]:
    return list(world.bucket.keys(f"{ORG}/_log/"))


def test_the_order_of_a_run_is_that_of_the_design() -> None:
    """stage → compare-and-swap → sign → publish → clear."""
    world, wire = anchored(1), Wire()  # whose key is pinned
    world.record(2, 3)

    world.anchor(wire).run(ORG, deadline_ms=world.clock.now + 60_000)

    written = [name for name in wire.calls if name.partition(".")[2] in ("write", "advance", "sign", "latest", "clear")]
    assert written == [
        "files.write",
        "register.advance",
        "signer.sign",
        "files.write",
        "files.latest",
        "register.advance",
        "journal.clear",
        "register.advance",
    ]


def test_nothing_new_writes_and_signs_nothing() -> None:
    world = anchored(3)
    before, signatures = log_keys(world), world.signer.signatures
    wire = Wire()

    report = world.anchor(wire).run(ORG, deadline_ms=world.clock.now + 60_000)

    assert (report.records, report.tree_size) == (0, 3)
    assert (log_keys(world), world.signer.signatures) == (before, signatures)
    assert set(wire.calls) == {
        "register.read",
        "files.sizes",
        "journal.head",
        "records.first_key_after",
    }


def test_an_organisation_without_records_has_no_log() -> None:
    world = World()

    assert world.anchored().tree_size == 0
    assert log_keys(world) == []


def test_a_pass_is_a_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "PASS_SIZE", 4)
    world = World()
    world.record(*range(1, 11))

    report = world.anchored()

    assert (report.records, report.tree_size) == (10, 10)
    assert list(world.log().sizes(ORG, at_least=1)) == [4, 8, 10]
    assert_log(world)


def test_when_the_time_is_over_one_pass_was_made_and_the_rest_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "PASS_SIZE", 4)
    world = World()
    world.record(*range(1, 11))
    world.clock.advance(5_000)

    report = world.anchor().run(ORG, deadline_ms=world.clock.now)

    assert (report.records, report.tree_size, report.behind_ms) == (4, 4, 5_000)
    assert world.waiting() == [5, 6, 7, 8, 9, 10]


def test_what_is_published_is_locked_for_as_long_as_the_records_under_it() -> None:
    world = World()
    world.appender().append(world.submission(1, retention=Retention("COMPLIANCE", 9000)))
    world.anchored()
    promised = world.sealed()[0].retain_until_ms

    for name in log_keys(world):
        assert world.bucket.versions(name)[0].lock == Lock("COMPLIANCE", promised), name


def test_what_is_published_late_is_locked_from_then_on() -> None:
    world = World()
    world.record(1)
    world.clock.advance(90 * instants.DAY_MS)
    world.anchored()

    kept = instants.first_midnight_at_or_after(world.clock.now + 2555 * instants.DAY_MS)
    assert {world.bucket.versions(name)[0].lock for name in log_keys(world)} == {Lock("COMPLIANCE", kept)}


def rot(world: World) -> None:
    name = world.administrator.key_of(ORG, 5)
    world.administrator.rot(name, world.bucket.versions(name)[0].data.replace(b"AGENT", b"AGENS"))


def rewrite(world: World) -> None:
    name = world.administrator.key_of(ORG, 5)
    world.administrator.rewrite(name, world.bucket.versions(name)[0].data.replace(b"AGENT", b"AGENS"))


def remove(world: World) -> None:
    world.administrator.remove(world.administrator.key_of(ORG, 5))
    del world.journal.waiting[ORG][5]


def fork(world: World) -> None:
    world.administrator.insert_record(build_chain(1, head=world.sealed()[3].head, start_ms=world.clock.now, seed=9)[0])


def unlock(world: World) -> None:
    world.administrator.set_lock(world.administrator.key_of(ORG, 5), None)


def of_another_head(world: World) -> None:
    rewritten = build_chain(3, head=world.sealed()[2].head, start_ms=world.clock.now, step_ms=0, seed=9)
    for entry in world.sealed()[3:]:
        world.administrator.remove(entry.s3_key)
    for entry in rewritten:
        world.administrator.insert_record(entry)


@pytest.mark.parametrize("break_it", [rot, rewrite, remove, fork, unlock, of_another_head])
def test_a_broken_chain_is_never_signed(break_it: object) -> None:
    world = anchored(3)
    world.record(4, 5, 6)
    before, signatures, state = log_keys(world), world.signer.signatures, world.register.read(ORG)
    break_it(world)  # type: ignore[operator]

    report = world.anchored()

    assert report.broken
    assert (report.tree_size, world.register.read(ORG)) == (3, state)
    assert world.signer.signatures == signatures
    assert log_keys(world) == before, "nothing was even staged"
    world.record(7)  # and recording goes on


def test_a_false_tile_that_lies_in_wait_stops_the_run_before_anything_is_fixed() -> None:
    world = anchored(3)
    world.record(4)
    world.administrator.insert(key("tile/0/000.p/4"), b"x" * 128, Lock("COMPLIANCE", 2**42))
    state, signatures = world.register.read(ORG), world.signer.signatures

    with pytest.raises(EvidenceBroken):
        world.anchored()

    assert (world.register.read(ORG), world.signer.signatures) == (state, signatures)


@pytest.mark.parametrize("path", ["tile/entries/000.p/3", checkpoint_path(3)])
@pytest.mark.parametrize("how", ["changed", "gone"])
def test_it_goes_on_only_from_an_edge_that_has_the_signed_root(path: str, how: str) -> None:
    world = anchored(3)
    world.record(4)
    data = world.bucket.versions(key(path))[0].data
    if how == "gone":
        world.administrator.remove(key(path))
    else:
        world.administrator.rewrite(key(path), data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])
    signatures = world.signer.signatures

    with pytest.raises(EvidenceBroken):
        world.anchored()

    assert world.signer.signatures == signatures
    assert world.waiting() == [4]


def test_a_fixed_root_that_the_records_do_not_lead_to_is_not_signed() -> None:
    """The table says what the next root is. It is not believed: the records are read again."""
    world = World()
    world.record(1, 2, 3)
    true = world.sealed()[2].head
    assert world.register.advance(
        ORG,
        NOTHING_COVERED,
        type(NOTHING_COVERED)(tail=true, root="ab" * 32, published=NOTHING_COVERED.tail, cleared=0),
    )

    with pytest.raises(EvidenceBroken):
        world.anchored()

    assert world.signer.signatures == 0


@pytest.mark.parametrize("left", [0, 3])
def test_a_register_from_the_past_signs_nothing_between_what_is_signed(left: int) -> None:
    """With the records unlocked and rewritten meanwhile, it would be a root of another history."""
    world = World()
    states = {0: NOTHING_COVERED}
    for number in (3, 7):
        world.record(*range(len(world.sealed()) + 1, number + 1))
        world.anchored()
        states[number] = world.register.read(ORG)
    world.record(8)
    world.register.states[ORG] = states[left]
    signatures = world.signer.signatures

    with pytest.raises(HeadRegressed):
        world.anchored()

    assert world.signer.signatures == signatures


def test_a_log_that_is_not_what_was_signed_raises_the_alarm_of_its_organisation() -> None:
    world = anchored(3)
    world.record(4)
    world.record(11, org_id="globex")
    world.administrator.rewrite(key("tile/entries/000.p/3"), b"")
    rounds = Rounds(anchor=world.anchor(), clock=world.clock, telemetry=world.telemetry)

    report = rounds.anchor([ORG, "globex"], budget_ms=60_000)

    assert report.failed == {ORG: "EVIDENCE_BROKEN"}
    assert world.telemetry.counts["BrokenChain"] == 1
    assert [fields["code"] for _, fields in world.telemetry.notes] == ["EVIDENCE_BROKEN"]
    assert world.register.read("globex").tree_size == 1


def test_logs_of_organisations_do_not_meet() -> None:
    world = World()
    world.record(1, 2)
    world.record(11, org_id="acme")
    world.anchored()
    world.anchored(org_id="acme")

    assert_log(world)
    assert_log(world, "acme")
    assert set(world.signer.roots) == {("indelible/acme-corp", 2), ("indelible/acme", 1)}
