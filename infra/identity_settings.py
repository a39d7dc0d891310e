# SPDX-License-Identifier: Apache-2.0
"""The settings that say who may call: how requests are authenticated, and whose tokens count.

Invariant: what these readers return can be deployed; what they refuse is said in one line, without the key, which
`infra.config` puts before it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Literal
from urllib.parse import urlsplit

Auth = Literal["hmac", "jwt", "iam"]

JWT_KEYS = ("jwt_issuer", "jwt_audience", "jwt_org_claim")
#: API Gateway's quota for one authorizer.
_MOST_AUDIENCES = 50


class IdentityError(ValueError):
    """What is wrong with a setting, and what is allowed."""


def read_auth(value: object) -> Auth:
    """``hmac``, ``jwt`` or ``iam``."""
    if value not in ("hmac", "jwt", "iam"):
        raise IdentityError(f"must be hmac, jwt or iam, not {value!r}")
    return value


def read_issuer(value: object) -> str:
    """The issuer as its tokens spell it in ``iss``, to the last slash (OpenID Connect Discovery 1.0 §3)."""
    text = str(value)
    try:
        parts = urlsplit(text)
        named = bool(parts.hostname) and not (parts.username or parts.query or parts.fragment)
        allowed = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(text))
    except ValueError:
        named = allowed = False
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]{1,512}", text) or not named or not allowed:
        raise IdentityError(
            "must be the issuer's https URL exactly as its tokens' `iss` has it, without a query, "
            f"for example https://idp.example.com/; it is {value!r}"
        )
    return text


def read_audience(value: object) -> tuple[str, ...]:
    """A list of audiences, or text with commas between them."""
    given = value.split(",") if isinstance(value, str) else value
    if not isinstance(given, Sequence) or not all(isinstance(one, str) for one in given):
        raise IdentityError(f"must be a list of audiences, or text with commas between them, not {value!r}")
    found = tuple(dict.fromkeys(one.strip() for one in given))
    if not 1 <= len(found) <= _MOST_AUDIENCES or not all(re.fullmatch(r"[!-~]{1,512}", one) for one in found):
        raise IdentityError(f"must name 1 to {_MOST_AUDIENCES} audiences without spaces in them, not {value!r}")
    return found


def read_org_claim(value: object) -> str:
    """The name of a top-level claim of a token; nested claims cannot be named."""
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]{1,256}", value):
        raise IdentityError(f"must be the name of one claim, for example org_id or custom:org_id, not {value!r}")
    return value


def is_loopback(issuer: str) -> bool:
    """Whether the issuer is on this very machine, where API Gateway on AWS will never find it."""
    host = urlsplit(issuer).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check(auth: Auth, given: Mapping[str, object], *, is_prod: bool) -> tuple[str, str] | None:
    """What does not fit together: the key and what is wrong with it."""
    if auth != "jwt":
        for key in JWT_KEYS:
            if key in given:
                return key, f"is for auth=jwt, and auth is {auth}; leave it out, or set it to nothing"
        return None
    for key in ("jwt_issuer", "jwt_audience"):
        if key not in given:
            return key, "is required with auth=jwt"
    issuer = str(given["jwt_issuer"])
    if is_prod and not issuer.startswith("https://"):
        return "jwt_issuer", f"must be an https URL; {issuer} on this machine is for trials with stage=dev"
    return None
