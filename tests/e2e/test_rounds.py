# SPDX-License-Identifier: Apache-2.0
"""Whole rounds, by the deployed workflow: many organisations, and none in another's way (G5)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from subprocess import CompletedProcess
from typing import Any

import pytest

from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.commands import indelible
from tests.e2e.helpers.forge import Forge
from tests.e2e.helpers.tenant import Tenant, fresh

MANY = 30


@pytest.fixture(scope="module")
def admin(ledger: Outputs) -> Admin:
    return Admin.of(ledger)


@pytest.fixture(scope="module")
def tenants(ledger: Outputs) -> list[Tenant]:
    return [fresh(ledger, f"many-{number:02}") for number in range(MANY)]


def command(ledger: Outputs, *arguments: str) -> CompletedProcess[str]:
    """`indelible anchor`, as a person runs it."""
    return indelible("anchor", "--ledger", ledger.ledger_name, *arguments, environment=ledger.environment())


def sizes(admin: Admin, tenants: Sequence[Tenant]) -> list[int]:
    """How much of each organisation is under a published checkpoint."""
    logs = (admin.item(tenant.org_id, "LOG") for tenant in tenants)
    return [int(log["published"]["N"]) if log else 0 for log in logs]


def test_one_broken_chain_among_many_is_named_and_all_others_are_anchored(
    ledger: Outputs, admin: Admin, tenants: list[Tenant]
) -> None:
    broken = tenants[13]
    forged = Forge(admin, broken.org_id)
    chain = forged.build(3)
    forged.commit(chain)
    forged.seal(chain, without=[2])
    others = [tenant for tenant in tenants if tenant is not broken]
    for tenant in others:
        Forge(admin, tenant.org_id).written(2)  # leaves no news: only a sweep finds it

    done = command(ledger, "--json")

    summary: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == 1
    assert summary["broken"][broken.org_id] | {"detail": ""} == {"code": "MISSING", "sequence": 2, "detail": ""}
    assert f"{broken.org_id}: the chain is broken at record 2: MISSING" in done.stderr
    assert not {tenant.org_id for tenant in others} & {*summary["broken"], *summary["failed"]}
    assert sizes(admin, tenants) == [0 if tenant is broken else 2 for tenant in tenants]
    assert broken.record()["sequence"] == 4, "recording goes on"


def test_rounds_at_the_same_time_do_not_disturb_each_other(admin: Admin, tenants: list[Tenant]) -> None:
    healthy = tenants[:8]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda tenant: tenant.record(), healthy * 2))
        summaries = [*pool.map(lambda _: admin.round(run="news"), range(3))]
    names = {tenant.org_id for tenant in healthy}
    assert [names & {*one["broken"], *one["failed"]} for one in summaries] == [set()] * 3
    assert sizes(admin, healthy) == [4] * 8
    assert all(tenant.verify()["valid"] for tenant in healthy)


def test_one_organisation_by_name_and_no_other(ledger: Outputs, admin: Admin) -> None:
    asked, other = fresh(ledger, "asked"), fresh(ledger, "other")
    for tenant in (asked, other):
        Forge(admin, tenant.org_id).written(1)

    done = command(ledger, "--org", asked.org_id)

    assert (done.returncode, done.stdout) == (0, "1 organisation checked: 1 record anchored.\n"), done.stderr
    assert sizes(admin, [asked, other]) == [1, 0]


def test_a_name_that_does_not_exist_is_said(ledger: Outputs) -> None:
    done = command(ledger, "--org", "nobody-at-all")
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no organisation 'nobody-at-all'" in done.stderr


def test_what_the_planner_does_not_understand_fails_for_all_to_see(admin: Admin) -> None:
    for event in ({}, {"run": "everything"}, {"run": "news", "after": 7}):
        answer = admin.client("lambda").invoke(FunctionName=admin.function("plan"), Payload=json.dumps(event).encode())
        assert answer["FunctionError"], event
