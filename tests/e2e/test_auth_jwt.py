# SPDX-License-Identifier: Apache-2.0
"""auth=jwt, deployed: a real issuer, the gateway's authorizer, and an organisation that only the token names."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from indelible.client import BearerToken, LedgerClient
from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.issuer import AUDIENCE, Issuer, issuer
from tests.e2e.helpers.second import another_ledger
from tests.e2e.helpers.tenant import EVENT, Tenant, fresh, http, post, registry

RECORD, PROVE, VERIFY = "/v1/record", "/v1/prove", "/v1/verify"
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}


@pytest.fixture(scope="module")
def idp() -> Iterator[Issuer]:
    with issuer() as found:
        yield found


@pytest.fixture(scope="module")
def tokens(ledger: Outputs, ledger_state: Path, idp: Issuer) -> Outputs:
    """A ledger that knows its callers by the tokens of `idp`."""
    settings = {"auth": "jwt", "jwt_issuer": idp.url, "jwt_audience": f"another-api,{AUDIENCE}"}
    return another_ledger(ledger, ledger_state / "tokens", ledger_name="tokens", **settings)


@pytest.fixture(scope="module")
def org(tokens: Outputs) -> Tenant:
    return fresh(tokens, "ours")


@pytest.fixture(scope="module")
def other(tokens: Outputs, idp: Issuer) -> Tenant:
    """Somebody else, with a record."""
    found = fresh(tokens, "theirs")
    assert send(tokens, RECORD, EVENT, idp.token(found.org_id)).status_code == 200
    return found


def send(ledger: Outputs, path: str, body: dict[str, Any], token: str | None, **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return post(ledger, path, body, {**({"authorization": f"Bearer {token}"} if token else {}), **sent})


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_token_is_enough_to_record_prove_and_verify(tokens: Outputs, org: Tenant, idp: Issuer) -> None:
    token = idp.token(org.org_id)
    receipt = send(tokens, RECORD, {**EVENT, "idempotency_key": "one"}, token).json()["receipt"]
    assert receipt["s3_key"].startswith(f"{org.org_id}/")
    proof = send(tokens, PROVE, {"org_id": org.org_id, "audit_id": receipt["audit_id"]}, token).json()
    assert proof["record"]["event"] == EVENT
    verdict = send(tokens, VERIFY, {}, token, x_novus_org_id=org.org_id).json()
    assert (verdict["valid"], verdict["entries_checked"]) == (True, 1)
    with LedgerClient(tokens.api_url, org_id=org.org_id, auth=BearerToken(lambda: token), trust_env=False) as client:
        assert client.record(EVENT, idempotency_key="one") == receipt


def test_a_token_among_several_audiences(tokens: Outputs, org: Tenant, idp: Issuer) -> None:
    assert send(tokens, VERIFY, {}, idp.token(org.org_id, aud=["x", AUDIENCE])).status_code == 200
    # As access tokens of Amazon Cognito have it.
    assert send(tokens, VERIFY, {}, idp.token(org.org_id, aud=None, client_id=AUDIENCE)).status_code == 200


@pytest.mark.parametrize("path", [RECORD, "/v1/record/batch", PROVE, VERIFY, "/mcp"])
def test_the_gateway_lets_no_bad_token_through(tokens: Outputs, org: Tenant, idp: Issuer, path: str) -> None:
    now, before = int(time.time()), Admin.of(tokens).footprint(org.org_id)
    bad: dict[str, str | None] = {
        "none": None,
        "expired": idp.token(org.org_id, exp=now - 60),
        "not yet valid": idp.token(org.org_id, nbf=now + 600),
        "issued in the future": idp.token(org.org_id, iat=now + 600),
        "another audience": idp.token(org.org_id, aud="another-ledger"),
        "no audience": idp.token(org.org_id, aud=None),
        "another issuer": idp.token(org.org_id, iss="https://idp.example.com"),
        "an issuer with a slash more": idp.token(org.org_id, iss=f"{idp.url}/"),
        **idp.forged(org.org_id),
    }
    answers = {name: send(tokens, path, {"org_id": org.org_id, **EVENT}, token) for name, token in bad.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(bad, 401)
    assert {answer.content for answer in answers.values()} == {b'{"message": "Unauthorized"}'}
    assert Admin.of(tokens).footprint(org.org_id) == before


def test_a_good_signature_does_not_stand_in_for_a_token(tokens: Outputs, org: Tenant) -> None:
    assert org.post(RECORD, EVENT).status_code == 401


@pytest.mark.parametrize("path", [RECORD, PROVE, VERIFY])
def test_a_body_or_a_header_for_another_organisation(
    tokens: Outputs, org: Tenant, other: Tenant, idp: Issuer, path: str
) -> None:
    body = {RECORD: EVENT, PROVE: {"tx_hash": "0" * 64}, VERIFY: {}}[path]
    token = idp.token(org.org_id)
    before = Admin.of(tokens).footprint(other.org_id)
    for named in ("org_id", "X-Novus-Org-ID"):
        answers = []
        for org_id in (other.org_id, "nobody-here"):
            sent, headers = ({**body, "org_id": org_id}, {}) if named == "org_id" else (body, {named: org_id})
            answers.append(send(tokens, path, sent, token, **headers))
        assert refusal(answers[0]) == (403, "ORG_MISMATCH")
        assert answers[0].content == answers[1].content
    assert Admin.of(tokens).footprint(other.org_id) == before


def test_no_claim_no_organisation_and_a_disabled_one_are_one_answer(tokens: Outputs, org: Tenant, idp: Issuer) -> None:
    gone = fresh(tokens, "gone")
    registry(tokens).disable(gone.org_id)
    claims: list[Any] = [
        "nobody-here",
        gone.org_id,
        None,
        "",
        7,
        "_admin",
        "_ORGS",
        f"{org.org_id}\n",
        f"../{org.org_id}",
    ]
    claims += [[org.org_id], [org.org_id, "x"], {"id": org.org_id}, org.org_id.upper(), f"{org.org_id}#OUTBOX#1", True]
    answers = [send(tokens, VERIFY, {}, idp.token(claim)) for claim in claims]
    assert [refusal(answer) for answer in answers] == [(403, "FORBIDDEN")] * len(claims)
    assert len({answer.content for answer in answers}) == 1
    admin = Admin.of(tokens)
    assert (admin.head(gone.org_id), admin.versions(f"{gone.org_id}/")) == (0, [])


def test_a_signature_besides_is_checked(tokens: Outputs, org: Tenant, other: Tenant, idp: Issuer) -> None:
    token = idp.token(org.org_id)
    assert send(tokens, VERIFY, org.signed({}), token).status_code == 200
    stranger = Tenant(tokens, org.org_id, "k1", other.hmac_secret)
    for body in (stranger.signed({}), {**org.signed({}), "start_seq": 1}, {"signature": "0" * 64}):
        assert refusal(send(tokens, VERIFY, body, token)) == (401, "UNAUTHENTICATED")


def test_another_s_things_are_not_found(tokens: Outputs, org: Tenant, other: Tenant, idp: Issuer) -> None:
    (key,) = Admin.of(tokens).keys(other.org_id)
    stored = send(tokens, PROVE, {"audit_id": key[-41:-5]}, idp.token(other.org_id)).json()
    token = idp.token(org.org_id)
    asked = [{"audit_id": stored["audit_id"]}, {"tx_hash": stored["tx_hash"]}, {"tx_hash": "0" * 64}, {"audit_id": "x"}]
    answers = [send(tokens, PROVE, one, token) for one in asked]
    assert refusal(answers[0]) == (404, "NOT_FOUND")
    assert len({answer.content for answer in answers}) == 1


def test_agents_bring_a_token_too(tokens: Outputs, idp: Issuer) -> None:
    own = fresh(tokens, "agent")
    call = {**CALL, "params": {"name": "record_audit_event", "arguments": EVENT}}
    answer = send(tokens, "/mcp", call, idp.token(own.org_id)).json()["result"]
    assert (answer["isError"], answer["structuredContent"]["receipt"]["sequence"]) == (False, 1)
    refused = send(tokens, "/mcp", call, idp.token("nobody-here")).json()["result"]
    assert (refused["isError"], refused["structuredContent"]["error"]["code"]) == (True, "FORBIDDEN")


def test_what_is_public_stays_public(tokens: Outputs) -> None:
    for path in ("/health", "/v1/keys", "/openapi.json"):
        assert http().get(f"{tokens.api_url}{path}").status_code == 200


@pytest.mark.parametrize("context", [{}, {"authorizer": {}}, {"authorizer": {"iam": {"userArn": "arn:aws:iam::1:x"}}}])
def test_without_the_gateway_s_word_a_function_refuses(tokens: Outputs, org: Tenant, context: dict[str, Any]) -> None:
    body = json.dumps(org.signed(EVENT))
    headers = {"authorization": "Bearer x", "x-novus-org-id": org.org_id}
    event = {
        "version": "2.0",
        "routeKey": f"POST {RECORD}",
        "headers": headers,
        "body": body,
        "requestContext": context,
    }
    answer = Admin.of(tokens).invoke("record", event)
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (401, "UNAUTHENTICATED")
