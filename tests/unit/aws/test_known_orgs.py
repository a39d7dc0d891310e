# SPDX-License-Identifier: Apache-2.0
"""What is remembered of organisations tells nobody which of them there are (G6)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from indelible.aws.dynamo_orgs import DynamoOrganisations, config_text
from indelible.domain.organisation import OrgConfig, OrgKey
from tests.fakes.machine import ManualClock

CREATED = "2026-01-01T00:00:00.000Z"
ACME = OrgConfig("acme-corp", CREATED, (OrgKey("k1", CREATED),))


class Table:
    """DynamoDB with one organisation; counts who is asked for."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def get_item(self, *, Key: Any, **_: Any) -> dict[str, Any]:  # noqa: N803 -- as boto3 has it
        name = Key["pk"]["S"]
        self.asked[name] += 1
        return {"Item": {"config": {"S": config_text(ACME)}}} if name == ACME.org_id else {}


def test_who_is_unknown_is_asked_for_as_often_as_who_is_known() -> None:
    table, clock = Table(), ManualClock()
    client: Any = table
    organisations = DynamoOrganisations(client=client, table="ledger", clock=clock)
    for _ in range(40):
        assert organisations.get(ACME.org_id) == ACME
        assert organisations.get("nobody-here") is None
        clock.advance(3_000)
    assert table.asked == {ACME.org_id: 3, "nobody-here": 3}


def test_only_so_many_are_remembered() -> None:
    table, clock = Table(), ManualClock()
    client: Any = table
    organisations = DynamoOrganisations(client=client, table="ledger", clock=clock)
    for number in range(5_000):
        organisations.get(f"nobody-{number}")
    organisations.get("nobody-4999")
    organisations.get("nobody-0")
    assert (table.asked["nobody-4999"], table.asked["nobody-0"]) == (1, 2)
