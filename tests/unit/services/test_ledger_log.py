# SPDX-License-Identifier: Apache-2.0
"""What the ledger's own log takes up, what it leaves out, and in which order. Its crashes: tests/faults."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indelible.domain.findings import Lock
from indelible.domain.ledger import LedgerLeaf, leaf_data, ledger_proof_path
from indelible.domain.proof import parse_tlog_proof, verify_tlog_proof
from indelible.domain.record import Retention
from indelible.errors import EvidenceBroken, HeadRegressed
from indelible.ports import EMPTY_LEDGER
from indelible.services import ledger_log as ledger_logs
from indelible.services.log import LEDGER, checkpoint_path
from tests.fakes.chains import ORG
from tests.fakes.log import LEDGER_NAME
from tests.fakes.machine import ThreadedWorkers
from tests.fakes.world import World
from tests.faults.wire import Fault, Killed, Wire

OTHER = "globex"


def published(**sizes: int) -> World:
    """A checkpoint for each organisation named."""
    world = World()
    for name, size in sizes.items():
        org_id = name.replace("_", "-")
        world.record(*range(1, size + 1), org_id=org_id)
        world.anchored(org_id=org_id)
    return world


def key(owner: str, path: str) -> str:
    return f"{owner}/_log/{path}"


def ledger_files(world: World) -> list[str]:
    """Of the log: the statements of the keys are there before it."""
    return [name for name in world.bucket.keys("_ledger/") if not name.startswith("_ledger/_log/keys/")]


def assert_proven(world: World, org_id: str, size: int) -> None:
    (stored,) = world.bucket.versions(key(org_id, ledger_proof_path(size)))
    leaf = leaf_data(world.log().opened(org_id, size).note)
    verify_tlog_proof(parse_tlog_proof(stored.data), leaf, origin=LEDGER_NAME, public_keys=[world.signer.public_key()])


def test_the_order_of_a_run_is_that_of_the_design() -> None:
    """compare-and-swap → stage → sign → publish → proofs → say so → clear."""
    world, wire = published(acme_corp=3), Wire()

    world.ledger_log(wire).run(deadline_ms=world.clock.now + 60_000)

    written = [name for name in wire.calls if name.partition(".")[2] in ("write", "advance", "sign", "latest", "clear")]
    assert written == [
        "ledger_outbox.clear",  # of what is covered already: nothing
        "ledger_register.advance",
        "files.write",
        "signer.sign",
        "files.write",
        "files.latest",
        "files.write",
        "ledger_register.advance",
        "ledger_outbox.clear",
    ]


def test_each_organisation_gets_its_proof_and_learns_of_no_other() -> None:
    world = published(acme_corp=3, globex=1)

    report = world.logged()

    assert (report.tree_size, report.leaves, report.passes, report.behind_ms) == (2, 2, 1, 0)
    for org_id, size in ((ORG, 3), (OTHER, 1)):
        assert_proven(world, org_id, size)
    for name in ledger_files(world):
        data = world.bucket.versions(name)[0].data
        assert ORG.encode() not in data
        assert OTHER.encode() not in data


def test_nothing_new_writes_and_signs_nothing() -> None:
    world = published(acme_corp=3)
    world.logged()
    before, signatures, wire = ledger_files(world), world.signer.signatures, Wire()

    report = world.ledger_log(wire).run(deadline_ms=world.clock.now + 60_000)

    assert (report.tree_size, report.leaves) == (1, 0)
    assert (ledger_files(world), world.signer.signatures) == (before, signatures)
    # In a new environment, that the key is pinned and has no successor.
    pinned, rest = wire.calls[:3], wire.calls[3:]
    assert set(pinned) <= {"files.current", "files.read", "signer.public_key"}
    assert rest == ["ledger_register.read", "files.sizes", "ledger_outbox.waiting", "ledger_outbox.waiting"]


def test_a_batch_is_a_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_logs, "BATCH_SIZE", 2)
    world = published(acme_corp=1, globex=1, initech=1, umbrella=1, wonka=1)

    report = world.logged()

    assert (report.leaves, report.passes) == (5, 3)
    assert list(world.log().sizes(LEDGER, at_least=1)) == [2, 4, 5]
    assert world.telemetry.counts["CheckpointsLogged"] == 5


def test_when_the_time_is_over_one_batch_was_made_and_the_rest_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_logs, "BATCH_SIZE", 2)
    world = published(acme_corp=1, globex=1, initech=1)
    world.clock.advance(5_000)

    report = world.ledger_log().run(deadline_ms=world.clock.now)

    assert (report.tree_size, report.leaves, report.behind_ms) == (2, 2, 5_000)
    assert world.telemetry.counts["LedgerLagSeconds"] == 5


def test_what_covers_a_checkpoint_is_locked_for_as_long_as_the_records_under_it() -> None:
    world = World()
    world.appender().append(world.submission(1, retention=Retention("COMPLIANCE", 9000)))
    world.anchored()
    promised = world.sealed()[0].retain_until_ms

    world.logged()

    for name in [*ledger_files(world), key(ORG, ledger_proof_path(1))]:
        assert world.bucket.versions(name)[0].lock == Lock("COMPLIANCE", promised), name


def forged(world: World, org_id: str) -> None:
    name = key(org_id, checkpoint_path(1))
    data = world.bucket.versions(name)[0].data
    world.administrator.rewrite(name, data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])


def gone(world: World, org_id: str) -> None:
    world.administrator.remove(key(org_id, checkpoint_path(1)))


def another_than_was_published(world: World, org_id: str) -> None:
    leaf = world.ledger_outbox.entries[org_id, 1]
    world.ledger_outbox.put(replace(leaf, sha256="ab" * 32))


def of_nobody(world: World, org_id: str) -> None:
    leaf = world.ledger_outbox.entries.pop((org_id, 1))
    world.ledger_outbox.put(replace(leaf, org_id=f"{org_id}/x"))


@pytest.mark.parametrize("break_it", [forged, gone, another_than_was_published, of_nobody])
def test_a_checkpoint_that_is_not_what_was_signed_is_left_out_and_stops_nobody(break_it: object) -> None:
    world = published(acme_corp=1, globex=1)
    world.clock.advance(7_000)
    break_it(world, ORG)  # type: ignore[operator]

    for _ in range(2):
        report = world.logged()
        assert (report.tree_size, report.refused, report.behind_ms) == (1, 1, 7_000)

    assert_proven(world, OTHER, 1)
    assert [leaf.org_id for leaf in world.ledger_register.leaves] == [OTHER]
    assert len(world.ledger_outbox.entries) == 1, "it is announced until somebody looks"
    assert world.telemetry.counts["BrokenChain"] == 2
    assert {fields["code"] for message, fields in world.telemetry.notes} == {"EVIDENCE_BROKEN"}


def test_many_that_are_refused_do_not_stand_in_the_way() -> None:
    world = published(zeta=1)
    for number in range(1, 301):
        world.ledger_outbox.put(LedgerLeaf("acme", number, "ab" * 32, world.clock.now, world.clock.now))

    report = world.logged()

    assert (report.leaves, report.refused) == (1, 300)


def test_junk_in_the_place_of_a_proof_keeps_no_checkpoint_out() -> None:
    world = published(acme_corp=1, globex=1)
    world.administrator.insert(key(ORG, ledger_proof_path(1)), b"junk", None)

    report = world.logged()

    assert (report.leaves, report.refused) == (2, 0)
    assert_proven(world, OTHER, 1)
    assert world.ledger_outbox.entries == {}
    assert world.telemetry.counts["BrokenChain"] == 1


def test_what_has_its_proof_is_not_taken_again() -> None:
    """An anchor that died before it could say that it had published hands on again what is long covered."""
    world = published(acme_corp=1)
    again = dict(world.ledger_outbox.entries)
    world.logged()
    world.ledger_outbox.entries = again

    report = world.logged()

    assert (report.tree_size, report.leaves) == (1, 0)
    assert world.ledger_outbox.entries == {}


def test_a_fixed_batch_that_can_no_longer_be_read_as_it_was_is_not_signed() -> None:
    honest, world, wire = published(acme_corp=1), published(acme_corp=1), Wire()
    honest.ledger_log(wire).run(deadline_ms=honest.clock.now + 60_000)
    at = 1 + wire.calls.index("ledger_register.advance")
    with pytest.raises(Killed):
        world.ledger_log(Wire(Fault(at, "after", "kill"))).run(deadline_ms=world.clock.now + 60_000)
    signatures = world.signer.signatures
    forged(world, ORG)

    with pytest.raises(EvidenceBroken):
        world.logged()

    assert world.signer.signatures == signatures
    assert ledger_files(world) == []
    assert world.telemetry.counts["BrokenChain"] == 1


def test_a_fixed_root_that_the_leaves_do_not_lead_to_is_not_signed() -> None:
    world = published(acme_corp=1)
    leaf = world.ledger_outbox.entries[ORG, 1]
    world.ledger_register.state = replace(EMPTY_LEDGER, tree_size=1, root="ab" * 32, batch=(leaf,))
    signatures = world.signer.signatures

    with pytest.raises(EvidenceBroken, match="another root"):
        world.logged()

    assert world.signer.signatures == signatures


def test_a_register_from_the_past_signs_nothing() -> None:
    world = published(acme_corp=1)
    world.logged()
    world.record(2)
    world.anchored()
    world.ledger_register.state = EMPTY_LEDGER
    signatures = world.signer.signatures

    with pytest.raises(HeadRegressed):
        world.logged()

    assert world.signer.signatures == signatures
    assert world.telemetry.counts["HeadRegressed"] == 1


def test_it_goes_on_only_from_an_edge_that_has_the_signed_root() -> None:
    world = published(acme_corp=1)
    world.logged()
    world.record(2)
    world.anchored()
    world.administrator.rewrite(key(LEDGER, "tile/entries/000.p/1"), b"\x00\x20" + bytes(32))

    with pytest.raises(EvidenceBroken):
        world.logged()

    assert list(world.log().sizes(LEDGER, at_least=1)) == [1]


def test_threads_change_nothing() -> None:
    world = published(acme_corp=1, globex=1, initech=1)

    report = world.ledger_log(workers=ThreadedWorkers()).run(deadline_ms=world.clock.now + 60_000)

    assert (report.leaves, report.passes) == (3, 1)
    for org_id in (ORG, OTHER, "initech"):
        assert_proven(world, org_id, 1)


def test_somebody_elses_files_are_gone_around_and_announced() -> None:
    world = published(acme_corp=1, globex=1, initech=1)
    for size in (3, 9):
        world.administrator.insert(key("_ledger", checkpoint_path(size)), b"junk", None)

    assert world.ledger_log().run(deadline_ms=world.clock.now + 60_000).tree_size == 2
    assert world.telemetry.counts["ForeignFiles"] == 2
    world.record(50, org_id="globex")
    world.anchored(org_id="globex")

    assert world.logged().tree_size == 4
    assert world.log().opened(LEDGER, 4).checkpoint.size == 4
