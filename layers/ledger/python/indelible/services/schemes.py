# SPDX-License-Identifier: Apache-2.0
"""How an organisation is known: by a signature (HMAC), by a token (JWT), or by an AWS principal (IAM).

Invariant: under JWT and IAM a request without the gateway's word for who asks is refused, whatever else it carries.
If the gateway loses its authorizer, all requests are therefore refused, and none is let in. And for an identity that is
good, an organisation that does not exist, one that is disabled and one that it may not act for are one and the same
answer.
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
    """What differs between the three."""

    signature_required: bool

    def complete(self, arguments: JsonObject, identity: Identity | None) -> JsonObject:
        """The arguments as they are meant: with `org_id`, where the identity names it and they do not."""
        ...

    def organisation(self, arguments: JsonObject, identity: Identity | None) -> str:
        """Which organisation is meant. Raises OrgMismatch where arguments and identity disagree."""
        ...

    def admit(self, config: OrgConfig | None, identity: Identity | None) -> None:
        """Raises Forbidden where this identity may not act for the organisation (None: there is none)."""
        ...


class Hmac:
    """The arguments name the organisation, and the signature proves it."""

    signature_required = True

    def complete(self, arguments: JsonObject, _identity: Identity | None) -> JsonObject:
        """As they are."""
        return arguments

    def organisation(self, arguments: JsonObject, _identity: Identity | None) -> str:
        """`org_id`."""
        return str(arguments["org_id"])

    def admit(self, _config: OrgConfig | None, _identity: Identity | None) -> None:
        """Whom the signature proves: nobody is known before that."""


class Jwt:
    """One claim of the token names the organisation; its issuer vouches for that."""

    signature_required = False

    def __init__(self, *, org_claim: str) -> None:
        self._org_claim = org_claim

    def complete(self, arguments: JsonObject, identity: Identity | None) -> JsonObject:
        """`org_id` may be left out. Raises what `organisation` raises of the identity."""
        return arguments if "org_id" in arguments else {**arguments, "org_id": self._claimed(identity)}

    def organisation(self, arguments: JsonObject, identity: Identity | None) -> str:
        """The claim's; `org_id`, where sent, must be the same."""
        org_id = self._claimed(identity)
        if arguments.get("org_id", org_id) != org_id:
            raise OrgMismatch("the token and org_id name different organisations", field="org_id")
        return org_id

    def admit(self, config: OrgConfig | None, _identity: Identity | None) -> None:
        """Any organisation that is registered and not disabled."""
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
    """The arguments name the organisation, and the principal must be allowed for it (`indelible org allow`)."""

    signature_required = False

    def complete(self, arguments: JsonObject, _identity: Identity | None) -> JsonObject:
        """As they are: one principal may act for several organisations, and says for which."""
        return arguments

    def organisation(self, arguments: JsonObject, identity: Identity | None) -> str:
        """`org_id`."""
        if not isinstance(identity, Principal):
            raise _no_identity()
        return str(arguments["org_id"])

    def admit(self, config: OrgConfig | None, identity: Identity | None) -> None:
        """The organisation's own principals."""
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
