# SPDX-License-Identifier: Apache-2.0
"""Authenticate a request: by an HMAC over all of it, or by an identity that the gateway has checked.

Unknown organisation, disabled organisation, unknown key, disabled key and wrong signature take the same steps and get
the same answer, so that a stranger does not learn who is a tenant. (Under JWT and IAM: schemes.py.)
"""

from __future__ import annotations

import hmac

from indelible.domain import credentials, instants
from indelible.domain.canonical import JsonObject
from indelible.domain.identity import Identity
from indelible.domain.organisation import OrgConfig
from indelible.errors import MissingField, OrgMismatch, StaleSignature, Unauthenticated
from indelible.ports import Clock, Organisations, SecretSource
from indelible.services.schemes import Hmac, Scheme

SIGNED_AT_WINDOW_MS = 5 * 60_000


class Authenticator:
    """Checks `signature`, `key_id` and `signed_at` of validated arguments, and what the scheme requires."""

    def __init__(
        self,
        *,
        organisations: Organisations,
        secrets: SecretSource,
        clock: Clock,
        strict: bool,
        scheme: Scheme | None = None,
    ) -> None:
        self._organisations = organisations
        self._secrets = secrets
        self._clock = clock
        self._strict = strict
        self._scheme = scheme or Hmac()

    def complete(self, arguments: JsonObject, identity: Identity | None) -> JsonObject:
        """The arguments with `org_id`, which may be left out where the identity names the organisation.

        Raises Unauthenticated or Forbidden.
        """
        return self._scheme.complete(arguments, identity)

    def authenticate(
        self, arguments: JsonObject, *, claimed_org: str | None, writes: bool, identity: Identity | None = None
    ) -> OrgConfig:
        """Authenticate a request, and return its organisation.

        `arguments` must be those that were sent: the signature covers them. `claimed_org` is the header X-Novus-Org-ID,
        where it was sent; `identity` comes from the gateway. In strict mode `signature` and `signed_at` are required,
        and for an operation that `writes` also `idempotency_key`, so that a captured request cannot be used twice. A
        signature that is not required is checked if it is there.

        Raises OrgMismatch, MissingField, Unauthenticated, Forbidden or StaleSignature.
        """
        org_id = self._scheme.organisation(arguments, identity)
        if claimed_org is not None and claimed_org != org_id:
            raise OrgMismatch("X-Novus-Org-ID and org_id name different organisations", field="org_id")
        for name in self._required(writes=writes):
            if name not in arguments:
                raise MissingField("this field is required", field=name)
        config = self._organisations.get(org_id)
        self._scheme.admit(config, identity)
        if self._scheme.signature_required or "signature" in arguments:
            self._check_signature(arguments, org_id, config)
        if config is None:
            raise Unauthenticated
        self._check_time(arguments.get("signed_at"))
        return config

    def _required(self, *, writes: bool) -> tuple[str, ...]:
        if not self._strict:
            return ("signature",) if self._scheme.signature_required else ()
        return ("signature", "signed_at", "idempotency_key") if writes else ("signature", "signed_at")

    def _check_signature(self, arguments: JsonObject, org_id: str, config: OrgConfig | None) -> None:
        active = config.active_keys() if config else ()
        wanted = arguments.get("key_id")
        key = next((k for k in reversed(active) if wanted in (None, k.key_id)), None)
        secret = credentials.hmac_secret(self._secrets.master(), org_id, key.key_id if key else "none")
        expected = credentials.sign(arguments, secret)
        matches = hmac.compare_digest(expected.encode(), str(arguments["signature"]).encode())
        if not matches or key is None:
            raise Unauthenticated

    def _check_time(self, signed_at: object) -> None:
        if signed_at is None:
            return
        if abs(self._clock.now_ms() - instants.from_text(str(signed_at))) > SIGNED_AT_WINDOW_MS:
            raise StaleSignature("signed_at must be within five minutes of the ledger's clock", field="signed_at")
