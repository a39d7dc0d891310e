# SPDX-License-Identifier: Apache-2.0
"""Who is let in: every signed route has the deployment's authorizer, and only what is public goes without.

That the rule packs are content with it, and that nothing is acknowledged which is not open, is in test_nag.
"""

from __future__ import annotations

import json

import pytest

from infra.config import LedgerConfig
from tests.infra.synth import Json, Synthesized, synthesize

# A browser asks before it calls, without credentials.
PUBLIC = {"GET /health", "GET /v1/keys", "GET /openapi.json", "OPTIONS /mcp"}
SIGNED = {
    "POST /v1/record",
    "POST /v1/record/batch",
    "POST /v1/prove",
    "POST /v1/consistency",
    "POST /v1/verify",
    "POST /v1/export",
    "ANY /mcp",
}
FUNCTIONS = ("Record", "Prove", "Verify", "Mcp")
ISSUER = "https://idp.example.com/"


@pytest.fixture(scope="module")
def jwt(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    context = {"auth": "jwt", "jwt_issuer": ISSUER, "jwt_audience": "ledger,ledger-2", "jwt_org_claim": "custom:org"}
    return synthesize(tmp_path_factory.mktemp("jwt"), LedgerConfig.from_context(context))


@pytest.fixture(scope="module")
def iam(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesize(tmp_path_factory.mktemp("iam"), LedgerConfig.from_context({"auth": "iam"}))


def routes(synthesized: Synthesized) -> dict[str, Json]:
    return {r["Properties"]["RouteKey"]: r["Properties"] for _, r in synthesized.resources("AWS::ApiGatewayV2::Route")}


def unauthorized(synthesized: Synthesized) -> set[str]:
    return {key for key, route in routes(synthesized).items() if route.get("AuthorizationType", "NONE") == "NONE"}


def settings(synthesized: Synthesized, function: str) -> Json:
    variables: Json = synthesized.one("AWS::Lambda::Function", f"{function}Function")["Properties"]["Environment"][
        "Variables"
    ]
    return {name: value for name, value in variables.items() if "AUTH" in name or "JWT" in name}


def test_under_hmac_the_functions_check_and_the_gateway_does_not(prod: Synthesized) -> None:
    assert set(routes(prod)) == SIGNED | PUBLIC
    assert unauthorized(prod) == SIGNED | PUBLIC
    assert not list(prod.resources("AWS::ApiGatewayV2::Authorizer"))
    assert [settings(prod, function) for function in FUNCTIONS] == [{"INDELIBLE_AUTH": "hmac"}] * 4


def test_under_jwt_every_signed_route_wants_a_token(jwt: Synthesized) -> None:
    (logical_id, authorizer), *others = jwt.resources("AWS::ApiGatewayV2::Authorizer")
    assert others == []
    assert authorizer["Properties"]["AuthorizerType"] == "JWT"
    assert authorizer["Properties"]["JwtConfiguration"] == {"Issuer": ISSUER, "Audience": ["ledger", "ledger-2"]}
    assert authorizer["Properties"]["IdentitySource"] == ["$request.header.Authorization"]
    assert set(routes(jwt)) == SIGNED | PUBLIC
    assert unauthorized(jwt) == PUBLIC
    for key in SIGNED:
        assert routes(jwt)[key]["AuthorizationType"] == "JWT"
        assert routes(jwt)[key]["AuthorizerId"] == {"Ref": logical_id}
    told = {"INDELIBLE_AUTH": "jwt", "INDELIBLE_JWT_ORG_CLAIM": "custom:org"}
    assert [settings(jwt, function) for function in FUNCTIONS] == [told] * 4


def test_under_iam_every_signed_route_wants_an_aws_signature(iam: Synthesized) -> None:
    assert not list(iam.resources("AWS::ApiGatewayV2::Authorizer"))
    assert set(routes(iam)) == SIGNED | PUBLIC
    assert {key: routes(iam)[key]["AuthorizationType"] for key in SIGNED} == dict.fromkeys(SIGNED, "AWS_IAM")
    assert unauthorized(iam) == PUBLIC
    assert [settings(iam, function) for function in FUNCTIONS] == [{"INDELIBLE_AUTH": "iam"}] * 4


def test_what_authenticates_nobody_is_told_nothing_of_it(jwt: Synthesized) -> None:
    assert settings(jwt, "Meta") == settings(jwt, "Anchor") == {}


@pytest.mark.parametrize(
    ("stacks", "caller"),
    [("prod", None), ("jwt", "$context.authorizer.claims.sub"), ("iam", "$context.identity.userArn")],
)
def test_the_access_log_names_whom_the_gateway_let_in(
    stacks: str, caller: str | None, request: pytest.FixtureRequest
) -> None:
    synthesized: Synthesized = request.getfixturevalue(stacks)
    settings = synthesized.one("AWS::ApiGatewayV2::Stage")["Properties"]["AccessLogSettings"]
    assert json.loads(settings["Format"]).get("caller") == caller
