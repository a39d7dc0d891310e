# SPDX-License-Identifier: Apache-2.0
"""Who may record: one answer to every stranger, keys that overlap, a window in time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from indelible.domain import credentials, instants
from indelible.domain.organisation import OrgConfig, OrgKey
from indelible.errors import LedgerError, MissingField, OrgMismatch, StaleSignature, Unauthenticated
from indelible.services.authenticate import SIGNED_AT_WINDOW_MS, Authenticator
from tests.fakes.chains import ORG
from tests.fakes.machine import ManualClock
from tests.fakes.table import FakeOrganisations, FakeSecretSource

CREATED = "2026-03-20T00:00:00.000Z"
MASTER = FakeSecretSource()
THREE_KEYS = OrgConfig(
    ORG, CREATED, (OrgKey("k1", CREATED), OrgKey("k2", CREATED, disabled_at=CREATED), OrgKey("k3", CREATED))
)


def authenticator(*configs: OrgConfig, strict: bool = False, clock: ManualClock | None = None) -> Authenticator:
    organisations = FakeOrganisations({config.org_id: config for config in configs or (THREE_KEYS,)})
    return Authenticator(organisations=organisations, secrets=MASTER, clock=clock or ManualClock(), strict=strict)


def signed(with_key: str, /, *, org_id: str = ORG, **arguments: Any) -> dict[str, Any]:
    arguments = {"org_id": org_id, "event_type": "X", **arguments}
    secret = credentials.hmac_secret(MASTER.master(), org_id, with_key)
    return {**arguments, "signature": credentials.sign(arguments, secret)}


def ask(
    arguments: dict[str, Any], *, by: Authenticator | None = None, writes: bool = True, claimed: str | None = None
) -> OrgConfig:
    return (by or authenticator()).authenticate(arguments, claimed_org=claimed, writes=writes)


@pytest.mark.parametrize("key_id", ["k1", "k3"])
def test_every_active_key_signs_by_name(key_id: str) -> None:
    assert ask(signed(key_id, key_id=key_id)) == THREE_KEYS


def test_without_a_name_the_newest_is_meant() -> None:
    assert ask(signed("k3")) == THREE_KEYS
    with pytest.raises(Unauthenticated):
        ask(signed("k1"))


def test_a_disabled_newest_key_is_not_meant() -> None:
    config = replace(THREE_KEYS, keys=THREE_KEYS.keys[:2])

    assert ask(signed("k1"), by=authenticator(config)) == config


def test_every_stranger_gets_the_same_answer() -> None:
    gone = replace(THREE_KEYS, org_id="globex", disabled_at=CREATED)
    keyless = OrgConfig("initech", CREATED, ())
    auth = authenticator(THREE_KEYS, gone, keyless)
    strangers = [
        signed("k1", org_id="nobody", key_id="k1"),
        signed("k1", org_id="globex", key_id="k1"),
        signed("none", org_id="initech"),
        signed("k2", key_id="k2"),
        signed("k9", key_id="k9"),
        signed("none", key_id="none"),
        signed("none", org_id="nobody"),
        signed("k1", key_id="k3"),
        {**signed("k1", key_id="k1"), "event_type": "Y"},
        {**signed("k1", key_id="k1"), "extra": 1},
        {**signed("k1", key_id="k1"), "signature": ""},
        {**signed("k1", key_id="k1"), "signature": "ab" * 32},
        {**signed("k1", key_id="k1"), "signature": signed("k1", key_id="k1")["signature"].upper()},
        {**signed("k1", key_id="k1"), "signature": "ключ"},
        {**signed("k1", key_id="k1"), "org_id": "acme-corp2"},
    ]
    answers: list[dict[str, object]] = []
    for arguments in strangers:
        with pytest.raises(Unauthenticated) as refused:
            ask(arguments, by=auth)
        answers.append(refused.value.as_dict())

    assert all(answer == answers[0] for answer in answers)


def test_a_signature_for_one_organisation_is_none_for_another() -> None:
    globex = replace(THREE_KEYS, org_id="globex")
    arguments = {**signed("k1", key_id="k1"), "org_id": "globex"}

    with pytest.raises(Unauthenticated):
        ask(arguments, by=authenticator(THREE_KEYS, globex))


@pytest.mark.parametrize("field", ["key_id", "idempotency_key", "signed_at", "event_type"])
def test_everything_but_the_signature_is_signed(field: str) -> None:
    now = instants.to_text(ManualClock().now)
    arguments = signed("k3", key_id="k3", idempotency_key="a", signed_at=now)
    assert ask(arguments)

    with pytest.raises(Unauthenticated):
        ask(
            {name: value for name, value in arguments.items() if name != field}
            | ({"key_id": "k1"} if field == "key_id" else {})
        )


def test_the_header_must_agree() -> None:
    assert ask(signed("k3"), claimed=ORG)
    with pytest.raises(OrgMismatch) as refused:
        ask(signed("k3"), claimed="globex")
    assert refused.value.field == "org_id"


@pytest.mark.parametrize("off_ms", [0, SIGNED_AT_WINDOW_MS, -SIGNED_AT_WINDOW_MS])
def test_within_five_minutes_is_in_time(off_ms: int) -> None:
    clock = ManualClock()

    assert ask(signed("k3", signed_at=instants.to_text(clock.now + off_ms)), by=authenticator(clock=clock))


@pytest.mark.parametrize("off_ms", [SIGNED_AT_WINDOW_MS + 1, -SIGNED_AT_WINDOW_MS - 1, 10**11, -(10**12)])
def test_outside_it_is_stale(off_ms: int) -> None:
    clock = ManualClock()

    with pytest.raises(StaleSignature) as refused:
        ask(signed("k3", signed_at=instants.to_text(clock.now + off_ms)), by=authenticator(clock=clock))
    assert refused.value.field == "signed_at"


def test_who_is_not_known_learns_nothing_of_the_clock() -> None:
    arguments = signed("k9", key_id="k9", signed_at="2020-01-01T00:00:00Z")

    with pytest.raises(Unauthenticated):
        ask(arguments)


@pytest.mark.parametrize("writes", [True, False])
def test_strict_mode_requires_what_stops_a_replay(writes: bool) -> None:
    clock = ManualClock()
    strict = authenticator(strict=True, clock=clock)
    now = instants.to_text(clock.now)

    with pytest.raises(MissingField) as refused:
        ask(signed("k3", idempotency_key="a"), by=strict, writes=writes)
    assert refused.value.field == "signed_at"
    if writes:
        with pytest.raises(MissingField) as refused:
            ask(signed("k3", signed_at=now), by=strict, writes=True)
        assert refused.value.field == "idempotency_key"
        assert ask(signed("k3", signed_at=now, idempotency_key="a"), by=strict)
    else:
        assert ask(signed("k3", signed_at=now), by=strict, writes=False)


def test_a_signature_is_always_required() -> None:
    arguments = signed("k3")
    del arguments["signature"]

    with pytest.raises(LedgerError) as refused:
        ask(arguments)
    assert (refused.value.code, refused.value.field) == ("MISSING_FIELD", "signature")
