# SPDX-License-Identifier: Apache-2.0
"""The registry comes back from `_admin`'s chain: what was ordered is in force, whatever the table remembers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indelible.domain.findings import FailureCode
from indelible.domain.record import ADMIN_ORG
from indelible.errors import LedgerError
from indelible.services.rebuild import Accepted
from tests.fakes.chains import ORG
from tests.unit.services.test_registry import Office

ROLES = [f"arn:aws:iam::123456789012:role/{name}" for name in "abc"]


def busy(office: Office) -> None:
    """Every kind of act."""
    registry, role = office.registry, "arn:aws:iam::123456789012:role/{}"
    registry.create(ORG)
    registry.create("globex", retention_days=3000)
    registry.rotate(ORG)
    registry.disable(ORG, "k1")
    registry.extend_retention(ORG, 4000)
    for name in ("a", "b"):
        registry.allow(ORG, role.format(name))
    registry.deny(ORG, role.format("a"))
    office.world.clock.advance(1000)
    registry.create("initech")
    registry.disable("initech")


def test_the_registry_comes_back_from_the_acts() -> None:
    office = Office()
    busy(office)
    office.world.record(1, 2)
    before = dict(office.organisations.configs)
    office.world.lose_table()
    reports = office.world.rebuilder().run(apply=True)
    assert [report.org_id for report in reports] == [ADMIN_ORG, ORG, "globex", "initech"]
    assert all(report.settled for report in reports)
    assert office.organisations.configs == before
    assert office.world.repair.registered() == set(before)
    assert office.registry.rotate(ORG).key_id == "k3"
    assert [report.changes for report in office.world.rebuilder().run()] == [()] * 4


def test_a_backup_of_the_registry_does_not_bring_a_disabled_key_back() -> None:
    office = Office()
    office.registry.create(ORG)
    office.registry.rotate(ORG)
    backup = office.organisations.configs[ORG]
    office.world.clock.advance(5)
    office.registry.disable(ORG, "k1")
    wanted = office.organisations.configs[ORG]
    office.organisations.configs[ORG] = backup
    report = office.world.rebuilder().run(ORG, apply=True)[0]
    assert [(change.item, change.found, change.wanted) for change in report.changes] == [("config", "k1, k2", "k2")]
    assert office.organisations.configs[ORG] == wanted


def test_acts_that_cannot_be_trusted_give_no_keys() -> None:
    office = Office()
    busy(office)
    office.world.administrator.remove(office.world.administrator.key_of(ADMIN_ORG, 3))
    office.world.lose_table()
    reports = office.world.rebuilder().run(apply=True)
    assert [bool(report.refused) for report in reports] == [True]
    reports = office.world.rebuilder().run(apply=True, accepted=[Accepted(FailureCode.MISSING)])
    assert [report.settled for report in reports] == [True] * 4
    assert [key.key_id for key in office.organisations.configs[ORG].keys] == ["k1"]


@pytest.mark.parametrize(
    ("said", "damaged"),
    [
        (b'"target":"globex"', b'"target":"\xfflobex"'),
        (b'"target":"globex"', b'"target"x"globex"'),
        (b'"payload":{"key_id":"k1"', b'"payload":{"key_ix":"k1"'),
        (b'"payload":{"key_id":null}', b'"payload":{"key_ix":null}'),
        (b'"retention_days":4000', b'"retention_days":"000'),
        (b'"payload":{', b'"payload":["'),
    ],
)
def test_a_damaged_act_is_reported_and_keeps_no_organisation_from_its_rebuild(said: bytes, damaged: bytes) -> None:
    office = Office()
    busy(office)
    before = dict(office.organisations.configs)
    world = office.world
    world.record(1)
    entry = next(found for found in world.sealed(ADMIN_ORG) if said in found.data)
    world.administrator.rot(entry.s3_key, entry.data.replace(said, damaged))

    reports = {report.org_id: report for report in world.rebuilder().run()}
    assert [failure.sequence for failure in reports[ADMIN_ORG].refused][:1] == [entry.sequence]
    assert [report.refused for name, report in reports.items() if name != ADMIN_ORG] == [()] * 3
    world.rebuilder().run(apply=True, accepted=[Accepted(FailureCode.CONTENT_MISMATCH)])
    assert office.organisations.configs.keys() == before.keys()


ACTS = st.sampled_from(["create", "rotate", "disable", "disable key", "keep", "allow", "deny"])
PLAN = st.lists(st.tuples(ACTS, st.sampled_from([ORG, "globex"]), st.integers(0, 2)), max_size=25)


def act(office: Office, what: str, org_id: str, number: int) -> None:
    registry = office.registry
    match what:
        case "create":
            registry.create(org_id, retention_days=[None, 3000, 4000][number])
        case "rotate":
            registry.rotate(org_id)
        case "disable":
            registry.disable(org_id)
        case "disable key":
            registry.disable(org_id, f"k{number + 1}")
        case "keep":
            registry.extend_retention(org_id, 3000 + 1000 * number)
        case "allow":
            registry.allow(org_id, ROLES[number])
        case "deny":
            registry.deny(org_id, ROLES[number])


@given(PLAN)
def test_any_history_of_acts_gives_the_same_registry(plan: list[tuple[str, str, int]]) -> None:
    office = Office()
    for step in plan:
        try:
            act(office, *step)
        except LedgerError:
            continue  # refused, and so not written down
    before = dict(office.organisations.configs)
    assert not any(change.item == "config" for report in office.world.rebuilder().run() for change in report.changes)
    office.world.lose_table()
    reports = office.world.rebuilder().run(apply=True)
    assert all(report.settled for report in reports)
    assert office.organisations.configs == before


def test_an_act_that_a_crash_prevented_counts_as_done() -> None:
    office = Office()
    office.registry.create(ORG)
    before = office.organisations.configs[ORG]
    office.registry.disable(ORG)
    office.organisations.configs[ORG] = before
    office.world.rebuilder().run(apply=True)
    assert office.organisations.configs[ORG].disabled_at is not None


def test_what_the_table_knows_beyond_the_acts_stays() -> None:
    """An organisation from before there was such a log, or an act of this very moment."""
    office = Office()
    office.registry.create(ORG)
    config = office.organisations.configs[ORG]
    known = replace(config, keys=(*config.keys, replace(config.keys[0], key_id="k9")), retention_days=9999)
    office.organisations.configs[ORG] = known
    assert office.world.rebuilder().run(ORG, apply=True)[0].changes == ()
    assert office.organisations.configs[ORG] == known
