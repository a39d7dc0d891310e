# SPDX-License-Identifier: Apache-2.0
"""The gateway's word for who asks is read from where only the gateway writes."""

from __future__ import annotations

from typing import Any

import pytest

from indelible.domain.identity import Principal, Token
from indelible.entry import identity

SESSION = "arn:aws:sts::123456789012:assumed-role/recorder/i-0abc"
# As in API Gateway's documentation of payload format 2.0.
CLAIMS = {"aud": "ledger", "exp": "1779000000", "iss": "https://idp.example.com/", "org_id": "acme-corp", "sub": "u1"}
IAM = {"accessKey": "ASIA", "accountId": "123456789012", "callerId": "AROA:i-0abc", "cognitoIdentity": None}


def event(authorizer: Any) -> dict[str, Any]:
    return {"version": "2.0", "headers": {}, "requestContext": {"accountId": "123", "authorizer": authorizer}}


def test_a_token_s_claims() -> None:
    assert identity.from_event(event({"jwt": {"claims": CLAIMS, "scopes": None}})) == Token(CLAIMS)


def test_a_principal_in_its_one_spelling() -> None:
    found = identity.from_event(event({"iam": {**IAM, "userArn": SESSION}}))
    assert found == Principal("arn:aws:iam::123456789012:role/recorder")


def test_what_is_no_role_or_user_is_somebody_that_nobody_can_allow() -> None:
    root = "arn:aws:iam::123456789012:root"
    assert identity.from_event(event({"iam": {**IAM, "userArn": root}})) == Principal(root)


def test_claims_that_are_no_text_are_left_out() -> None:
    assert identity.from_event(event({"jwt": {"claims": {"org_id": ["acme-corp"], "sub": "u1"}}})) == Token(
        {"sub": "u1"}
    )


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"requestContext": None},
        {"requestContext": {}},
        event(None),
        event("acme-corp"),
        event({}),
        event({"lambda": {"org_id": "acme-corp"}}),
        event({"jwt": None}),
        event({"jwt": {"claims": None}}),
        event({"jwt": {"claims": {}}}),
        event({"jwt": {"claims": "org_id"}}),
        event({"iam": None}),
        event({"iam": {**IAM}}),
        event({"iam": {**IAM, "userArn": None}}),
        event({"iam": {**IAM, "userArn": ""}}),
        {"headers": {"authorization": "Bearer x", "x-amzn-oidc-identity": "u1"}, "body": "{}"},
        {"authorizer": {"jwt": {"claims": CLAIMS}}},
        {"headers": {"requestContext": {"authorizer": {"jwt": {"claims": CLAIMS}}}}},
    ],
)
def test_everything_else_is_nobody(given: dict[str, Any]) -> None:
    assert identity.from_event(given) is None
