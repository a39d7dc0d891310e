# SPDX-License-Identifier: Apache-2.0
"""A proof is what the bucket holds, within the caller's organisation, or a refusal that says no more."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from indelible.domain.proof import parse_tlog_proof, verify_tlog_proof
from indelible.errors import EvidenceBroken, LedgerError, NotFound, NotSealed
from indelible.ports import StoredVersion
from tests.fakes.chains import ORG
from tests.fakes.journal import FakeJournal
from tests.fakes.world import World
from tests.faults.wire import Fault, Wire


def two_organisations() -> World:
    world = World()
    world.record(1, 2, 3)
    world.record(11, org_id="globex")
    return world


def test_by_id_and_by_hash_it_is_the_same_proof() -> None:
    world = World()
    receipt = world.record(1, 2)[1]

    by_id = world.prover().prove(ORG, audit_id=receipt.audit_id)
    by_hash = world.prover().prove(ORG, tx_hash=receipt.tx_hash)

    assert by_id == by_hash
    assert by_id.receipt == receipt
    assert by_id.record == world.sealed()[1]
    assert isinstance(by_id.stored, StoredVersion)
    assert by_id.stored.sha256 == receipt.tx_hash
    assert (by_id.inclusion, by_id.checkpoint) == (None, None)


@pytest.mark.parametrize(
    "audit_id",
    [
        "",
        "nonsense",
        "00000000-0000-4000-8000-000400000000",
        "00000000-0000-8000-8000-000400000000",
        "ffffffff-ffff-8000-8000-000400000000",
        "../globex/2026",
        "%",
        "\x00",
        "ä" * 36,
    ],
)
def test_ids_of_nothing_are_not_found(audit_id: str) -> None:
    with pytest.raises(NotFound):
        two_organisations().prover().prove(ORG, audit_id=audit_id)


def test_another_organisation_s_record_is_as_unknown_as_none_at_all() -> None:
    world = two_organisations()
    theirs = world.sealed("globex")[0]
    refusals: list[dict[str, object]] = []
    for wanted in (
        {"audit_id": theirs.audit_id},
        {"tx_hash": theirs.tx_hash},
        {"audit_id": "nonsense"},
        {"tx_hash": "ab" * 32},
        {},
    ):
        with pytest.raises(NotFound) as refused:
            world.prover().prove(ORG, **wanted)
        refusals.append(refused.value.as_dict())

    assert all(refusal == refusals[0] for refusal in refusals)


def test_an_index_that_lies_is_noticed() -> None:
    world = two_organisations()
    first, second, _ = world.sealed()
    world.index.entries[ORG, first.tx_hash] = second.audit_id

    with pytest.raises(EvidenceBroken):
        world.prover().prove(ORG, tx_hash=first.tx_hash)


def test_an_index_that_points_elsewhere_leads_nowhere() -> None:
    world = two_organisations()
    first = world.sealed()[0]
    world.index.entries[ORG, first.tx_hash] = world.sealed("globex")[0].audit_id

    with pytest.raises(LedgerError) as refused:
        world.prover().prove(ORG, tx_hash=first.tx_hash)
    assert refused.value.code in ("NOT_FOUND", "EVIDENCE_BROKEN")


def test_what_is_not_sealed_yet_is_said_so_to_its_owner_only() -> None:
    world = World()
    with pytest.raises(NotSealed) as first:
        world.appender(Wire(Fault(4, "before", "outage"))).append(world.submission(1))
    audit_id = first.value.audit_id

    with pytest.raises(NotSealed) as refused:
        world.prover().prove(ORG, audit_id=audit_id)
    assert refused.value.audit_id == audit_id
    with pytest.raises(NotFound):
        world.prover().prove("globex", audit_id=audit_id)


def test_what_is_sealed_while_a_proof_looks_for_it_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    with pytest.raises(NotSealed) as unsealed:
        world.appender(Wire(Fault(4, "before", "outage"))).append(world.submission(1))
    outbox = FakeJournal.outbox

    def seal_and_clear_first(journal: FakeJournal, org_id: str, sequences: Sequence[int]) -> dict[int, bytes]:
        monkeypatch.setattr(FakeJournal, "outbox", outbox)
        world.anchored()
        return outbox(journal, org_id, sequences)

    monkeypatch.setattr(FakeJournal, "outbox", seal_and_clear_first)
    assert world.prover().prove(ORG, audit_id=unsealed.value.audit_id).record == world.sealed()[0]


@pytest.mark.parametrize("old_new", [(b'"number":2', b'"number":3'), (b'"sequence":2', b'"sequence":3'), (b"}", b"]")])
def test_rotten_bytes_are_not_proven(old_new: tuple[bytes, bytes]) -> None:
    world = two_organisations()
    key = world.administrator.key_of(ORG, 2)
    entry = world.sealed()[1]
    world.administrator.rot(key, entry.data.replace(*old_new))

    for wanted in ({"audit_id": entry.audit_id}, {"tx_hash": entry.tx_hash}):
        with pytest.raises(EvidenceBroken):
            world.prover().prove(ORG, **wanted)


def test_a_record_under_another_record_s_key_is_not_proven() -> None:
    """A whole record, intact in itself, with a checksum that fits: but not this one."""
    world = two_organisations()
    first, second, _ = world.sealed()
    world.administrator.rewrite(second.s3_key, first.data)

    with pytest.raises(EvidenceBroken):
        world.prover().prove(ORG, audit_id=second.audit_id)


def test_a_record_under_a_delete_marker_is_proven_and_the_marker_named() -> None:
    world = two_organisations()
    entry = world.sealed()[1]
    world.administrator.lay_delete_marker(entry.s3_key)
    world.administrator.lay_newer_version(entry.s3_key, b"{}")

    proof = world.prover().prove(ORG, audit_id=entry.audit_id)

    assert proof.record == entry
    assert len(proof.stored.shadows) == 2


def test_the_lock_is_shown_as_it_is_now() -> None:
    world = two_organisations()
    entry = world.sealed()[1]
    world.administrator.set_lock(entry.s3_key, None)

    assert world.prover().prove(ORG, audit_id=entry.audit_id).stored.lock is None


def test_proving_writes_nothing() -> None:
    world = two_organisations()
    receipt = world.record(4)[0]
    wire = Wire()

    world.prover(wire).prove(ORG, tx_hash=receipt.tx_hash)

    assert wire.calls == ["index.find", "records.oldest", "files.sizes", "starts.last"]


@pytest.mark.parametrize("how", ["marker", "rubbish", "flipped", "one more line"])
def test_what_lies_over_the_files_of_the_logs_hides_none_of_them(how: str) -> None:
    world = World()
    for start in (1, 151, 301):
        world.record(*range(start, start + 150))
        world.anchored()
        world.logged()
    entries = [world.sealed()[index] for index in (0, 255, 449)]
    before = [world.prover().prove(ORG, audit_id=entry.audit_id) for entry in entries]
    for key in [key for key in world.bucket.stacks if "/_log/" in key]:
        stored = world.bucket.versions(key)[0].data
        if how == "marker":
            world.administrator.lay_delete_marker(key)
        elif how == "rubbish":
            world.administrator.lay_newer_version(key, b"")
        elif how == "flipped":
            world.administrator.lay_newer_version(key, stored[:-1] + bytes([stored[-1] ^ 1]))
        else:
            world.administrator.lay_newer_version(key, stored + "— stranger AAAAAAAA\n".encode())

    assert [world.prover().prove(ORG, audit_id=entry.audit_id) for entry in entries] == before
    world.record(451)
    assert world.anchored().tree_size == 451
    assert world.logged().tree_size == 4


def test_proving_an_anchored_record_writes_nothing_either() -> None:
    world = two_organisations()
    receipt = world.record(4)[0]
    world.anchored()
    world.logged()
    wire = Wire()

    assert world.prover(wire).prove(ORG, tx_hash=receipt.tx_hash).ledger is not None

    assert {name.partition(".")[2] for name in wire.calls} == {
        "find",
        "oldest",
        "sizes",
        "read",
        "current",
        "public_key",
        "stored",
    }


def test_once_anchored_a_proof_has_its_place_in_the_log() -> None:
    world = World()
    world.record(1, 2)
    world.anchored()
    world.record(3, 4, 5)
    world.anchored()
    world.record(6)
    key = world.signer.public_key()

    for entry in world.sealed():
        proof = world.prover().prove(ORG, audit_id=entry.audit_id)
        if entry.sequence == 6:
            assert (proof.inclusion, proof.checkpoint) == (None, None)
            continue
        assert proof.inclusion is not None
        assert proof.checkpoint is not None
        assert (proof.inclusion.index, proof.checkpoint.size) == (entry.sequence - 1, 2 if entry.sequence < 3 else 5)
        offline = parse_tlog_proof(proof.inclusion.data)
        leaf = bytes.fromhex(entry.tx_hash)
        assert (
            verify_tlog_proof(offline, leaf, origin=f"indelible/{ORG}", public_keys=[key]).checkpoint
            == proof.checkpoint
        )


def test_the_first_checkpoint_that_covers_a_record_stays_the_one() -> None:
    world = World()
    receipt = world.record(1)[0]
    world.anchored()
    before = world.prover().prove(ORG, audit_id=receipt.audit_id)
    world.record(2, 3)
    world.anchored()

    assert world.prover().prove(ORG, audit_id=receipt.audit_id) == before


@pytest.mark.parametrize("path", ["tile/0/000.p/3", "checkpoints/000000000003"])
def test_a_log_that_was_changed_proves_nothing(path: str) -> None:
    world = World()
    receipt = world.record(1, 2, 3)[0]
    world.anchored()
    name = f"{ORG}/_log/{path}"
    data = world.bucket.versions(name)[0].data
    world.administrator.rewrite(name, data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])

    with pytest.raises(EvidenceBroken):
        world.prover().prove(ORG, audit_id=receipt.audit_id)


def test_a_record_that_was_never_the_one_in_the_log_is_not_proven() -> None:
    """Rewritten whole, with a fresh checksum and under a lock: the log has another leaf there."""
    world = World()
    world.record(1, 2, 3)
    world.anchored()
    entry = world.sealed()[1]
    world.administrator.rewrite(entry.s3_key, entry.data.replace(b'"number":2', b'"number":7'))

    with pytest.raises(EvidenceBroken):
        world.prover().prove(ORG, audit_id=entry.audit_id)


def test_without_the_table_s_register_the_proof_is_the_same() -> None:
    world = World()
    receipt = world.record(1, 2, 3)[0]
    world.anchored()
    before = world.prover().prove(ORG, audit_id=receipt.audit_id)
    world.register.states.clear()

    assert world.prover().prove(ORG, audit_id=receipt.audit_id) == before
