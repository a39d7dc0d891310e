# SPDX-License-Identifier: Apache-2.0
"""The identity that API Gateway puts into an event (payload format 2.0), when one of its authorizers has checked it.

Only `requestContext` is read: API Gateway alone writes it. Headers and the body are the caller's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from indelible.domain.identity import Identity, Principal, Token, principal_arn


def of(event: Mapping[str, Any]) -> Identity | None:
    """A token's claims, or the principal that signed; None where no authorizer said anything that is understood."""
    authorizer = _member(_member(event, "requestContext"), "authorizer")
    claims = _member(_member(authorizer, "jwt"), "claims")
    if claims:
        return Token({str(name): value for name, value in claims.items() if isinstance(value, str)})
    user_arn = _member(authorizer, "iam").get("userArn")
    if not isinstance(user_arn, str) or not user_arn:
        return None
    # What is neither a role nor a user (an account's root, say) stays as it is: nobody can be allowed by that name.
    return Principal(principal_arn(user_arn) or user_arn)


def _member(outer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = outer.get(name)
    return found if isinstance(found, dict) else {}
