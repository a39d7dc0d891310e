# SPDX-License-Identifier: Apache-2.0
"""Tokens and AWS principals: what names the organisation, what must agree, and one answer to all who may not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from indelible.domain import credentials
from indelible.domain.identity import Identity, Principal, Token
from indelible.domain.organisation import OrgConfig, OrgKey
from indelible.errors import Forbidden, LedgerError, MissingField, OrgMismatch, StaleSignature, Unauthenticated
from indelible.services.authenticate import Authenticator
from indelible.services.schemes import Hmac, Iam, Jwt, Scheme, SchemeName, scheme
from tests.fakes.machine import ManualClock
from tests.fakes.table import FakeOrganisations, FakeSecretSource

CREATED = "2026-03-20T00:00:00.000Z"
ROLE = "arn:aws:iam::123456789012:role/recorder"
ACME = OrgConfig("acme-corp", CREATED, (OrgKey("k1", CREATED),), principals=(ROLE,))
GLOBEX = replace(ACME, org_id="globex", principals=())
GONE = replace(ACME, org_id="gone", disabled_at=CREATED)
ADMIN = OrgConfig("_admin", CREATED, ())
SECRETS = FakeSecretSource()


def authenticator(by: Scheme, *, strict: bool = False) -> Authenticator:
    configs = {config.org_id: config for config in (ACME, GLOBEX, GONE, ADMIN)}
    return Authenticator(
        organisations=FakeOrganisations(configs), secrets=SECRETS, clock=ManualClock(), strict=strict, scheme=by
    )


def ask(
    by: Scheme,
    identity: Identity | None,
    arguments: dict[str, Any],
    *,
    claimed: str | None = None,
    strict: bool = False,
) -> OrgConfig:
    auth = authenticator(by, strict=strict)
    auth.complete(arguments, identity)
    return auth.authenticate(arguments, claimed_org=claimed, writes=True, identity=identity)


def refused(by: Scheme, identity: Identity | None, arguments: dict[str, Any], **more: Any) -> LedgerError:
    with pytest.raises(LedgerError) as caught:
        ask(by, identity, arguments, **more)
    return caught.value


def token(org_id: str) -> Token:
    return Token({"sub": "agent-7", "org_id": org_id})


def signed(arguments: dict[str, Any], org_id: str = "acme-corp") -> dict[str, Any]:
    secret = credentials.hmac_secret(SECRETS.master(), org_id, "k1")
    return {**arguments, "signature": credentials.sign(arguments, secret)}


JWT, IAM = Jwt(org_claim="org_id"), Iam()
WHO: list[tuple[Scheme, Identity]] = [(JWT, token("acme-corp")), (IAM, Principal(ROLE))]
BODY = {"org_id": "acme-corp", "event_type": "X"}
ONE_ANSWER = Forbidden("this identity may not act for that organisation", field="org_id").as_dict()
OWN_NAMES = ["", "_admin", "_ORGS", "acme-corp/2026", "acme-corp#OUTBOX#1", "acme-corp\n", "ACME-CORP", "[acme-corp]"]


def test_a_scheme_is_chosen_by_name() -> None:
    names: list[SchemeName] = ["hmac", "jwt", "iam"]
    assert [type(scheme(name, org_claim="org_id")) for name in names] == [Hmac, Jwt, Iam]


# -- what holds for both ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("by", "identity"), WHO)
def test_an_identity_is_enough(by: Scheme, identity: Identity) -> None:
    assert ask(by, identity, BODY) == ACME
    assert ask(by, identity, BODY, claimed="acme-corp") == ACME


@pytest.mark.parametrize("by", [JWT, IAM])
def test_without_one_everything_is_refused_a_good_signature_too(by: Scheme) -> None:
    for arguments in (BODY, signed(BODY), {**BODY, "org_id": "nobody"}):
        error = refused(by, None, arguments)
        assert (type(error), error.status, error.field) == (Unauthenticated, 401, None)


def test_the_other_kind_of_identity_is_none() -> None:
    assert isinstance(refused(JWT, Principal(ROLE), BODY), Unauthenticated)
    assert isinstance(refused(IAM, token("acme-corp"), BODY), Unauthenticated)


@pytest.mark.parametrize(("by", "identity"), WHO)
def test_a_signature_that_is_sent_must_be_good(by: Scheme, identity: Identity) -> None:
    assert ask(by, identity, signed(BODY)) == ACME
    for arguments in (
        {**signed(BODY), "event_type": "Y"},
        {**BODY, "signature": ""},
        signed(BODY, org_id="globex"),
        {**signed(BODY), "key_id": "k9"},
    ):
        error = refused(by, identity, arguments)
        assert (type(error), error.field) == (Unauthenticated, "signature")


@pytest.mark.parametrize(("by", "identity"), WHO)
def test_strict_wants_the_signature_too(by: Scheme, identity: Identity) -> None:
    missing = []
    for arguments in (BODY, signed(BODY), signed({**BODY, "signed_at": CREATED})):
        error = refused(by, identity, arguments, strict=True)
        assert isinstance(error, MissingField)
        missing.append(error.field)
    assert missing == ["signature", "signed_at", "idempotency_key"]


@pytest.mark.parametrize(("by", "identity"), WHO)
def test_a_time_that_is_sent_must_be_near(by: Scheme, identity: Identity) -> None:
    assert isinstance(refused(by, identity, {**BODY, "signed_at": "2020-01-01T00:00:00Z"}), StaleSignature)


@pytest.mark.parametrize(("by", "identity"), WHO)
def test_the_header_must_agree_whoever_it_names(by: Scheme, identity: Identity) -> None:
    answers = [refused(by, identity, BODY, claimed=other).as_dict() for other in ("globex", "nobody", "gone", "_admin")]
    assert answers == [answers[0]] * 4
    assert answers[0]["code"] == "ORG_MISMATCH"


# -- tokens -----------------------------------------------------------------------------------------------


def test_the_claim_names_the_organisation_and_the_body_need_not() -> None:
    assert authenticator(JWT).complete({"event_type": "X"}, token("acme-corp")) == {
        "org_id": "acme-corp",
        "event_type": "X",
    }
    assert ask(JWT, token("acme-corp"), {"event_type": "X"}) == ACME
    # What is signed is what was sent.
    assert ask(JWT, token("acme-corp"), signed({"event_type": "X"})) == ACME


def test_another_claim_may_name_it() -> None:
    by, claim = Jwt(org_claim="https://example.com/org"), "https://example.com/org"
    assert ask(by, Token({claim: "globex", "org_id": "acme-corp"}), {"event_type": "X"}) == GLOBEX


def test_a_body_for_another_organisation_is_refused_whether_or_not_there_is_one() -> None:
    answers = [
        refused(JWT, token("acme-corp"), {**BODY, "org_id": org}).as_dict() for org in ("globex", "nobody", "gone")
    ]
    assert answers == [answers[0]] * 3
    assert answers[0]["code"] == "ORG_MISMATCH"
    assert isinstance(refused(JWT, token("acme-corp"), {**BODY, "org_id": 7}), OrgMismatch)


def test_no_claim_an_unknown_and_a_disabled_organisation_get_one_answer() -> None:
    answers = []
    for claim in ("nobody", "gone", *OWN_NAMES):
        for arguments in ({"event_type": "X"}, {"event_type": "X", "signature": "0" * 64}):
            answers.append(refused(JWT, token(claim), arguments).as_dict())
    answers.append(refused(JWT, Token({"sub": "agent-7"}), BODY).as_dict())
    answers.append(refused(JWT, token("gone"), {**BODY, "org_id": "gone"}).as_dict())
    assert answers == [ONE_ANSWER] * len(answers)


# -- principals -------------------------------------------------------------------------------------------


def test_only_who_is_allowed_may_act_and_all_others_get_one_answer() -> None:
    stranger = Principal("arn:aws:iam::123456789012:role/other")
    answers = []
    for identity, org_id in (
        (stranger, "acme-corp"),
        (stranger, "nobody"),
        (Principal(ROLE), "globex"),
        (Principal(ROLE), "gone"),
        (Principal(ROLE), "nobody"),
        (Principal(ROLE), "_admin"),
        (Principal(f"{ROLE}2"), "acme-corp"),
        (Principal(ROLE[:-1]), "acme-corp"),
    ):
        for arguments in ({"org_id": org_id}, {"org_id": org_id, "signature": "0" * 64}, signed({"org_id": org_id})):
            answers.append(refused(IAM, identity, arguments).as_dict())
    assert answers == [ONE_ANSWER] * len(answers)


def test_one_principal_may_act_for_several_organisations() -> None:
    both = {"acme-corp": ACME, "globex": replace(GLOBEX, principals=(ROLE,))}
    auth = Authenticator(
        organisations=FakeOrganisations(both), secrets=SECRETS, clock=ManualClock(), strict=False, scheme=IAM
    )
    for org_id in both:
        asked: dict[str, Any] = {"org_id": org_id}
        assert auth.complete(asked, Principal(ROLE)) is asked
        assert auth.authenticate(asked, claimed_org=None, writes=False, identity=Principal(ROLE)) == both[org_id]


# -- signatures alone -------------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", [None, token("globex"), Principal(ROLE)])
def test_under_hmac_an_identity_proves_nothing_and_disturbs_nothing(identity: Identity | None) -> None:
    assert ask(Hmac(), identity, signed(BODY)) == ACME
    assert isinstance(refused(Hmac(), identity, BODY), MissingField)
    assert isinstance(refused(Hmac(), identity, {**BODY, "signature": "0" * 64}), Unauthenticated)
