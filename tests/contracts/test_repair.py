# SPDX-License-Identifier: Apache-2.0
"""TableRepair and Inventory: a swap replaces exactly what was read, and nothing that has changed since."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indelible.domain.ledger import ledger_proof_path
from indelible.domain.organisation import OrgConfig, OrgKey
from indelible.domain.record import ADMIN_ORG
from indelible.domain.tiles import File
from indelible.errors import HeadRegressed
from indelible.ports import IndexEntry, LedgerState, LogState
from tests.contracts.conftest import Adapters
from tests.fakes.chains import ORG, build_chain
from tests.fakes.machine import MIDNIGHT

CHAIN = build_chain(130)
CREATED = "2026-03-20T00:00:00.000Z"
UNTIL = MIDNIGHT + 2555 * 86_400_000
ACME = OrgConfig(ORG, CREATED, (OrgKey("k1", CREATED),))
STATE = LogState(CHAIN[2].head, "11" * 32, CHAIN[2].head, 1)


def stored(adapters: Adapters, count: int) -> None:
    for entry in CHAIN[:count]:
        adapters.records.seal(entry)
        adapters.records.oldest(entry.s3_key)


def test_nothing_is_found_in_an_empty_table(adapters: Adapters) -> None:
    for found in (adapters.repair.head(ORG), adapters.repair.log(ORG), adapters.repair.config(ORG)):
        assert (found.value, found.seen) == (None, None)
    assert adapters.repair.days(ORG) == {}
    assert adapters.repair.registered() == frozenset()
    assert adapters.inventory.owners() == []


def test_a_head_is_swapped_once(adapters: Adapters) -> None:
    stored(adapters, 3)
    nothing = adapters.repair.head(ORG)

    assert adapters.repair.swap_head(ORG, nothing, CHAIN[2].head)
    assert adapters.journal.head(ORG) == CHAIN[2].head
    assert not adapters.repair.swap_head(ORG, nothing, CHAIN[2].head)
    assert adapters.repair.head(ORG).value == CHAIN[2].head


def test_a_head_that_a_commit_has_moved_is_left_alone(adapters: Adapters) -> None:
    stored(adapters, 2)
    adapters.journal.commit(adapters.journal.head(ORG), CHAIN[:1], None, MIDNIGHT)
    found = adapters.repair.head(ORG)
    adapters.journal.commit(CHAIN[0].head, CHAIN[1:2], None, MIDNIGHT)

    assert not adapters.repair.swap_head(ORG, found, CHAIN[1].head)
    assert adapters.repair.swap_head(ORG, adapters.repair.head(ORG), CHAIN[1].head)
    adapters.journal.commit(CHAIN[1].head, CHAIN[2:3], None, MIDNIGHT)


def test_a_register_is_swapped_and_the_anchor_goes_on_from_it(adapters: Adapters) -> None:
    stored(adapters, 3)
    note = b"indelible/acme-corp\n3\nERERERERERERERERERERERERERERERERERERERERERE=\n\n\xe2\x80\x94 x y\n"
    adapters.files.write(ORG, [File("checkpoints/000000000003", note)], retain_until_ms=UNTIL)
    nothing = adapters.repair.log(ORG)

    assert adapters.repair.swap_log(ORG, nothing, STATE)
    assert not adapters.repair.swap_log(ORG, nothing, STATE)
    assert adapters.register.read(ORG) == STATE
    assert adapters.repair.log(ORG).value == STATE
    found = adapters.repair.log(ORG)
    assert adapters.register.advance(ORG, STATE, replace(STATE, cleared=3))
    assert not adapters.repair.swap_log(ORG, found, STATE)
    assert not adapters.repair.swap_log(ORG, found, None)
    assert adapters.repair.swap_log(ORG, adapters.repair.log(ORG), None)
    assert adapters.repair.log(ORG).seen is None


def test_the_ledger_s_register_is_swapped_and_taken_away(adapters: Adapters) -> None:
    note = b"indelible\n2\nERERERERERERERERERERERERERERERERERERERERERE=\n\n\xe2\x80\x94 x y\n"
    adapters.files.write("_ledger", [File("checkpoints/000000000002", note)], retain_until_ms=UNTIL)
    state, nothing = LedgerState(2, "11" * 32, 2), adapters.repair.ledger()
    assert (nothing.value, nothing.seen) == (None, None)

    assert adapters.repair.swap_ledger(nothing, state)
    assert not adapters.repair.swap_ledger(nothing, state)
    assert adapters.ledger_register.read() == adapters.repair.ledger().value == state
    assert not adapters.repair.swap_ledger(nothing, None)
    assert adapters.repair.swap_ledger(adapters.repair.ledger(), None)
    assert adapters.repair.ledger().seen is None


def test_which_checkpoints_have_a_proof_is_seen_by_listing(adapters: Adapters) -> None:
    for size in (3, 1200):
        adapters.files.write(ORG, [File(ledger_proof_path(size), b"proof")], retain_until_ms=UNTIL)
    adapters.mark_deleted(f"{ORG}/_log/{ledger_proof_path(3)}")

    assert adapters.inventory.logged(ORG) == {3, 1200}
    assert adapters.inventory.logged("globex") == frozenset()


def test_a_config_is_swapped_and_can_be_changed_afterwards(adapters: Adapters) -> None:
    organisations, disabled = adapters.organisations(), replace(ACME, disabled_at=CREATED)
    nothing = adapters.repair.config(ORG)

    assert adapters.repair.swap_config(ORG, nothing, ACME)
    assert not adapters.repair.swap_config(ORG, nothing, disabled)
    assert organisations.replace(ACME, disabled)
    assert not organisations.create(ACME)
    assert adapters.repair.swap_config(ORG, adapters.repair.config(ORG), ACME)
    assert adapters.repair.config(ORG).value == ACME


def test_a_name_is_registered_once_and_for_all(adapters: Adapters) -> None:
    adapters.organisations().create(ACME)
    for _ in range(2):
        adapters.repair.register("globex", CREATED)
    adapters.repair.register(ORG, "2030-01-01T00:00:00.000Z")

    assert adapters.repair.registered() == {ORG, "globex"}


def test_days_that_are_there_stay(adapters: Adapters) -> None:
    adapters.repair.add_days(ORG, {"2026-03-20": 1, "2026-03-21": 7})
    adapters.repair.add_days(ORG, {"2026-03-21": 9, "2026-03-22": 11})
    adapters.repair.add_days("globex", {"2026-03-20": 5})

    assert adapters.repair.days(ORG) == {"2026-03-20": 1, "2026-03-21": 7, "2026-03-22": 11}


def test_the_index_knows_what_it_lacks(adapters: Adapters) -> None:
    adapters.index.put(CHAIN[3])
    entries = [IndexEntry(bytes.fromhex(entry.tx_hash), entry.audit_id) for entry in CHAIN]

    missing = adapters.repair.unindexed(ORG, entries)
    assert sorted(entry.audit_id for entry in missing) == sorted(e.audit_id for e in CHAIN if e is not CHAIN[3])
    adapters.repair.index(ORG, missing)
    assert adapters.repair.unindexed(ORG, entries) == []
    assert adapters.index.find(ORG, CHAIN[129].tx_hash) == CHAIN[129].audit_id
    assert adapters.repair.unindexed(ORG, []) == []


def test_owners_are_those_with_anything_in_the_bucket(adapters: Adapters) -> None:
    stored(adapters, 1)
    adapters.put_stranger("globex/anything", b"x")
    adapters.put_stranger(f"{ADMIN_ORG}/2026/x", b"x")
    adapters.put_stranger("_ledger/_log/checkpoint", b"x")
    adapters.mark_deleted("globex/anything")

    assert adapters.inventory.owners() == [ADMIN_ORG, ORG, "globex"]


@pytest.mark.parametrize("adapters", ["aws on moto"], indirect=True)
def test_what_an_older_version_wrote_is_found_without_a_value_and_replaced(adapters: Adapters) -> None:
    dynamodb, table = adapters.repair._client, adapters.repair._table  # type: ignore[attr-defined]
    old = {"pk": {"S": ORG}, "sk": {"S": "LOG"}, "tree_size": {"N": "2"}, "tail_hash": {"S": "00"}}
    dynamodb.put_item(TableName=table, Item=old)

    found = adapters.repair.log(ORG)
    assert found.value is None
    assert found.seen == old
    with pytest.raises(HeadRegressed):
        adapters.register.read(ORG)
    assert adapters.repair.swap_log(ORG, found, STATE)
    assert adapters.repair.log(ORG).value == STATE
    assert adapters.register.read(ORG) == STATE
    damaged = dynamodb.get_item(TableName=table, Key={"pk": {"S": ORG}, "sk": {"S": "LOG"}})["Item"]
    dynamodb.put_item(TableName=table, Item=damaged | {"tail_timestamp": {"S": "yesterday"}})
    with pytest.raises(HeadRegressed):
        adapters.register.read(ORG)
