# SPDX-License-Identifier: Apache-2.0
"""Exports on record: who began one and who got its address, before they do; and nothing without a record."""

from __future__ import annotations

import json
from typing import Any

import pytest

from indelible.domain.identity import Principal, Token
from indelible.domain.organisation import OrgConfig, OrgKey
from indelible.domain.record import ADMIN_ORG
from indelible.entry.exporting import SEALING_MS
from indelible.entry.limits import EXPORT_COST, PROOF_COST
from indelible.errors import Unavailable
from indelible.ports import HeadMoved
from indelible.services.export_acts import asker
from tests.fakes.chains import ORG
from tests.fakes.journal import FakeJournal
from tests.fakes.records import FakeRecords
from tests.unit.entry.tenants import Context
from tests.unit.entry.test_exporting import Api
from tests.unit.services.test_export_jobs import OTHER

CREATED = "2026-03-01T00:00:00.000Z"
APPEND = ["journal.commit", "records.seal", "index.put"]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Indelible")
    return Api()


def acts(api: Api) -> list[dict[str, Any]]:
    return [json.loads(one.data)["event"] for one in api.office.world.sealed(ADMIN_ORG)]


def names(api: Api) -> list[str]:
    return [act["action"] for act in acts(api)]


def test_what_is_on_record_says_who_and_what(api: Api) -> None:
    _, answer = api.post({"start_seq": 2, "end_seq": 8, "format": "csv"})
    begin, download = acts(api)
    asked = {"export_id": answer["export_id"], "first_sequence": 2, "last_sequence": 8, "format": "csv", "key_id": "k1"}
    for act in (begin, download):
        assert (act["actor"], act["target"], act["event_type"]) == (f"{ORG}/k1", ORG, act["action"])
    assert (begin["action"], begin["payload"]) == ("export.begin", asked)
    handed_out = {"sha256": answer["sha256"], "proved_by": answer["proved_by"]["sha256"]}
    assert download["action"] == "export.download"
    assert download["payload"] == asked | handed_out | {"expires_at": answer["expires_at"]}
    assert api.office.world.verify(org_id=ADMIN_ORG).valid is True


def test_each_address_is_on_record_and_no_export_is_begun_twice(api: Api) -> None:
    _, answer = api.post({})
    for asked in ({}, {"export_id": answer["export_id"]}):
        assert api.post(asked)[0] == 200
    assert names(api) == ["export.begin", *["export.download"] * 3]


def test_what_has_no_address_yet_leaves_its_beginning_only(api: Api) -> None:
    api.office.packers.slow = True
    _, answer = api.post({})
    assert api.post({"export_id": answer["export_id"]})[1]["status"] == "pending"
    assert names(api) == ["export.begin"]


def test_what_is_refused_leaves_nothing(api: Api) -> None:
    _, answer = api.post({})
    api.post({"start_seq": 11})
    api.post({"export_id": answer["export_id"]}, by=OTHER)
    api.post({"export_id": "0" * 32})
    api.post({"format": "parquet"})
    assert len(acts(api)) == 2


def test_the_organisations_own_chain_is_as_it_was(api: Api) -> None:
    before = api.office.world.journal.head(ORG)
    first, second = api.post({})[1], api.post({})[1]
    assert api.office.world.journal.head(ORG) == before
    assert first["export_id"] == second["export_id"], "an export of an open range does not change with itself"


@pytest.mark.parametrize("stage", [(FakeJournal, "commit"), (FakeRecords, "seal")], ids=["not committed", "not sealed"])
def test_nothing_is_begun_and_no_address_leaves_without_a_record(
    api: Api, monkeypatch: pytest.MonkeyPatch, stage: tuple[type, str]
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise Unavailable("AWS did not take the request")

    with monkeypatch.context() as broken:
        broken.setattr(*stage, fails)
        status, answer = api.post({})
        assert (status, set(answer), answer["error"]["retryable"]) == (503, {"error"}, True)
        assert api.office.packers.started == []
        assert api.office.store.states == {}
    _, ready = api.post({})
    monkeypatch.setattr(*stage, fails)
    status, answer = api.post({"export_id": ready["export_id"]})
    assert (status, set(answer)) == (503, {"error"})
    assert ready["url"] not in json.dumps(answer)


def test_an_act_costs_two_round_trips_and_none_while_it_is_pending(api: Api) -> None:
    _, answer = api.post({})
    assert api.wire.calls[-3:] == APPEND
    api.wire.calls.clear()
    api.post({"export_id": answer["export_id"]})
    assert api.wire.calls == APPEND
    api.wire.calls.clear()
    api.office.packers.slow = True
    _, pending = api.post({"end_seq": 3})
    assert api.wire.calls == APPEND
    api.wire.calls.clear()
    api.post({"export_id": pending["export_id"]})
    assert api.wire.calls == []


def test_an_address_counts_as_an_export(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    spent: list[int] = []
    monkeypatch.setattr("indelible.entry.limits.OrgLimits.spend", lambda _, __, tokens: spent.append(tokens))
    _, answer = api.post({})
    api.post({"export_id": answer["export_id"]})
    api.office.packers.slow = True
    _, pending = api.post({"end_seq": 3})
    api.post({"export_id": pending["export_id"]})
    assert spent == [EXPORT_COST, PROOF_COST, EXPORT_COST - PROOF_COST, EXPORT_COST, PROOF_COST]


ROLE = "arn:aws:iam::123456789012:role/recorder"
TWO_KEYS = OrgConfig(ORG, CREATED, (OrgKey("k1", CREATED), OrgKey("k2", CREATED), OrgKey("k3", CREATED, CREATED)))


@pytest.mark.parametrize(
    ("arguments", "identity", "actor", "known_by"),
    [
        ({"signature": "x", "key_id": "k1"}, None, f"{ORG}/k1", {"key_id": "k1"}),
        ({"signature": "x"}, None, f"{ORG}/k2", {"key_id": "k2"}),
        ({}, Token({"sub": "agent-7"}), "agent-7", {"subject": "agent-7"}),
        ({}, Token({}), ORG, {"subject": None}),
        ({"signature": "x"}, Token({"sub": "agent-7"}), "agent-7", {"key_id": "k2", "subject": "agent-7"}),
        ({"key_id": "k1"}, Principal(ROLE), ROLE, {"principal": ROLE}),
    ],
)
def test_who_it_was(arguments: dict[str, Any], identity: Any, actor: str, known_by: dict[str, Any]) -> None:
    found = asker(arguments, TWO_KEYS, identity)
    assert (found.actor, found.known_by) == (actor, known_by)


def test_whoever_cannot_get_a_place_in_the_chain_hears_of_it_in_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def moved(*_: object) -> None:
        raise HeadMoved(None)

    monkeypatch.setattr(FakeJournal, "commit", moved)
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda _: 15_000)
    clock = api.office.world.clock
    began = clock.now
    status, answer = api.post({})
    assert (status, answer["error"]["code"]) == (503, "CONTENTION")
    assert clock.now - began <= 15_000 - SEALING_MS
