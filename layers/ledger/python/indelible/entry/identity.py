# SPDX-License-Identifier: Apache-2.0
"""The identity that an API Gateway authorizer has verified, from an event (payload format 2.0).

Invariant: only `requestContext` is read, which API Gateway alone writes. Headers and body are the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from indelible.domain.identity import Identity, Principal, Token, principal_arn


def from_event(event: Mapping[str, Any]) -> Identity | None:
    """The claims of a JWT, or the principal of an AWS signature; None without an authorizer's result."""
    authorizer = _member(_member(event, "requestContext"), "authorizer")
    claims = _member(_member(authorizer, "jwt"), "claims")
    if claims:
        return Token({str(name): value for name, value in claims.items() if isinstance(value, str)})
    user_arn = _member(authorizer, "iam").get("userArn")
    if not isinstance(user_arn, str) or not user_arn:
        return None
    # An ARN of neither a role nor a user (an account's root) is kept as it is: `org allow` accepts no such principal.
    return Principal(principal_arn(user_arn) or user_arn)


def _member(outer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = outer.get(name)
    return found if isinstance(found, dict) else {}
