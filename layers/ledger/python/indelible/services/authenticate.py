# SPDX-License-Identifier: Apache-2.0
"""Who asks: an organisation, proven by an HMAC over the whole request.

Unknown organisation, disabled organisation, unknown key, disabled key and wrong signature take the same steps and
get the same answer, so that a stranger learns nothing about who is a tenant.
"""

from __future__ import annotations

import hmac

from indelible.domain import credentials, instants
from indelible.domain.canonical import JsonObject
from indelible.errors import MissingField, OrgMismatch, StaleSignature, Unauthenticated
from indelible.ports import Clock, Organisations, OrgConfig, SecretSource

SIGNED_AT_WINDOW_MS = 5 * 60_000


class Authenticator:
    """Checks `signature`, `key_id` and `signed_at` of validated arguments."""

    def __init__(self, *, organisations: Organisations, secrets: SecretSource, clock: Clock, strict: bool) -> None:
        self._organisations = organisations
        self._secrets = secrets
        self._clock = clock
        self._strict = strict

    def authenticate(self, arguments: JsonObject, *, claimed_org: str | None, writes: bool) -> OrgConfig:
        """The organisation that signed these arguments.

        `claimed_org` is the value of X-Novus-Org-ID, where sent. In strict mode `signed_at` is required, and
        `idempotency_key` too for what `writes`, so that a captured request cannot be used twice.

        Raises OrgMismatch, MissingField, Unauthenticated or StaleSignature.
        """
        org_id = str(arguments["org_id"])
        if claimed_org is not None and claimed_org != org_id:
            raise OrgMismatch("X-Novus-Org-ID and org_id name different organisations", field="org_id")
        for name in self._required(writes=writes):
            if name not in arguments:
                raise MissingField("this field is required", field=name)
        config = self._organisations.get(org_id)
        active = config.active_keys() if config else ()
        wanted = arguments.get("key_id")
        key = next((k for k in reversed(active) if wanted in (None, k.key_id)), None)
        secret = credentials.hmac_secret(self._secrets.master(), org_id, key.key_id if key else "none")
        expected = credentials.sign(arguments, secret)
        matches = hmac.compare_digest(expected.encode(), str(arguments["signature"]).encode())
        if not matches or key is None or config is None:
            raise Unauthenticated
        self._check_time(arguments.get("signed_at"))
        return config

    def _required(self, *, writes: bool) -> tuple[str, ...]:
        if not self._strict:
            return ("signature",)
        return ("signature", "signed_at", "idempotency_key") if writes else ("signature", "signed_at")

    def _check_time(self, signed_at: object) -> None:
        if signed_at is None:
            return
        if abs(self._clock.now_ms() - instants.from_text(str(signed_at))) > SIGNED_AT_WINDOW_MS:
            raise StaleSignature("signed_at must be within five minutes of the ledger's clock", field="signed_at")
