# SPDX-License-Identifier: Apache-2.0
"""How a request is authenticated: by a signature (HMAC), by a token (JWT), or by an AWS principal (IAM).

Invariant: under JWT and IAM a request without an identity from the gateway is refused, whatever else it carries. If the
gateway loses its authorizer, it fails closed. For a valid identity, the answer is the same for an organisation that
does not exist, one that is disabled, and one that it may not act for.
"""

from __future__ import annotations

import re
from typing import Literal, Protocol

from indelible.domain.canonical import JsonObject
from indelible.domain.identity import Identity, Principal, Token
from indelible.domain.organisation import OrgConfig
from indelible.domain.record import ORG_ID
from indelible.errors import Forbidden, OrgMismatch, Unauthenticated

SchemeName = Literal["hmac", "jwt", "iam"]


class Scheme(Protocol):
    """What differs between the three schemes."""

    signature_required: bool

    def complete(self, arguments: JsonObject, identity: Identity | None) -> JsonObject:
        """The arguments with `org_id`, which they may leave out where the identity names it."""
        ...

    def organisation(self, arguments: JsonObject, identity: Identity | None) -> str:
        """The organisation of the request. Raises OrgMismatch where arguments and identity disagree."""
        ...

    def admit(self, config: OrgConfig | None, identity: Identity | None) -> None:
        """Raise Forbidden where this identity may not act for the organisation (None where there is none)."""
        ...


class Hmac:
    """The arguments name the organisation, and the signature authenticates it."""

    signature_required = True

    def complete(self, arguments: JsonObject, _identity: Identity | None) -> JsonObject:
        """The arguments, unchanged."""
        return arguments

    def organisation(self, arguments: JsonObject, _identity: Identity | None) -> str:
        """The argument `org_id`."""
        return str(arguments["org_id"])

    def admit(self, _config: OrgConfig | None, _identity: Identity | None) -> None:
        """Refuses nothing: the signature is checked later."""


class Jwt:
    """A claim of the token names the organisation. The gateway has checked the token."""

    signature_required = False

    def __init__(self, *, org_claim: str) -> None:
        self._org_claim = org_claim

    def complete(self, arguments: JsonObject, identity: Identity | None) -> JsonObject:
        """Adds `org_id` where it was left out. Raises as `organisation`."""
        return arguments if "org_id" in arguments else {**arguments, "org_id": self._claimed(identity)}

    def organisation(self, arguments: JsonObject, identity: Identity | None) -> str:
        """The claim's value, which `org_id` must equal where it was sent.

        Raises OrgMismatch, Unauthenticated without a token, Forbidden for a claim that is no organisation.
        """
        org_id = self._claimed(identity)
        if arguments.get("org_id", org_id) != org_id:
            raise OrgMismatch("the token and org_id name different organisations", field="org_id")
        return org_id

    def admit(self, config: OrgConfig | None, _identity: Identity | None) -> None:
        """Allows every organisation that is registered and not disabled."""
        _require_enabled(config)

    def _claimed(self, identity: Identity | None) -> str:
        if not isinstance(identity, Token):
            raise _no_identity()
        claim = identity.claims.get(self._org_claim, "")
        # The pattern keeps the ledger's own names (_admin, _ORGS) out, and lists, which arrive as "[a b]".
        if not re.fullmatch(ORG_ID, claim, re.ASCII):
            raise _forbidden()
        return claim


class Iam:
    """The arguments name the organisation, for which the principal must be allowed (`indelible org allow`)."""

    signature_required = False

    def complete(self, arguments: JsonObject, _identity: Identity | None) -> JsonObject:
        """The arguments, unchanged: a principal may be allowed for several organisations, and must name one."""
        return arguments

    def organisation(self, arguments: JsonObject, identity: Identity | None) -> str:
        """The argument `org_id`."""
        if not isinstance(identity, Principal):
            raise _no_identity()
        return str(arguments["org_id"])

    def admit(self, config: OrgConfig | None, identity: Identity | None) -> None:
        """Allows the principals of the organisation."""
        _require_enabled(config)
        if not isinstance(identity, Principal) or config is None or identity.arn not in config.principals:
            raise _forbidden()


def scheme(name: SchemeName, *, org_claim: str) -> Scheme:
    """The scheme of a deployment; `org_claim` is for JWT."""
    if name == "jwt":
        return Jwt(org_claim=org_claim)
    return Iam() if name == "iam" else Hmac()


def _require_enabled(config: OrgConfig | None) -> None:
    if config is None or config.disabled_at:
        raise _forbidden()


def _no_identity() -> Unauthenticated:
    return Unauthenticated("the request came without an identity that the gateway has checked", field=None)


def _forbidden() -> Forbidden:
    return Forbidden("this identity may not act for that organisation", field="org_id")
