# SPDX-License-Identifier: Apache-2.0
"""Administrative acts are records too, in the ledger's own organisation `_admin`.

Invariant: an act is written down before it is done. A crash in between leaves a record of something that was
ordered and did not happen, which can be explained; the other order would leave an act that nobody ordered.
"""

from __future__ import annotations

from indelible.domain import credentials, instants
from indelible.domain.canonical import JsonObject, canonical_bytes
from indelible.domain.organisation import OrgConfig
from indelible.domain.receipt import Receipt
from indelible.domain.record import ADMIN_ORG, Retention
from indelible.ports import Clock, Organisations, SecretSource
from indelible.services.append import Appender
from indelible.services.submission import Submission

_PATIENCE_MS = 20_000


class AdminLog:
    """Writes on behalf of one `actor`, for example the ARN of the caller's AWS identity; or of others, one by one.

    `organisations` is None for whoever may not register `_admin`, and has no need to: the first act of all has.
    """

    def __init__(
        self,
        *,
        appender: Appender,
        organisations: Organisations | None,
        secrets: SecretSource,
        clock: Clock,
        retention: Retention,
        actor: str = "",
    ) -> None:
        self._appender = appender
        self._organisations = organisations
        self._secrets = secrets
        self._clock = clock
        self._retention = retention
        self.actor = actor

    def write(
        self,
        action: str,
        target: str,
        payload: JsonObject,
        *,
        reason: str | None = None,
        actor: str | None = None,
        deadline_ms: int | None = None,
    ) -> Receipt:
        """Seal `action` upon `target`, say `org.rotate` upon `acme-corp`. Raises what recording raises.

        `actor`: instead of the one for whom this was made. `deadline_ms` (Unix time) may shorten its patience.
        """
        if self._organisations is not None:
            self._organisations.create(self._own())  # registered, the anchor finds it; again does no harm
        patience_ms = self._clock.now_ms() + _PATIENCE_MS
        event: JsonObject = {
            "event_type": action,
            "level": "pipeline",
            "actor": actor or self.actor,
            "action": action,
            "target": target,
            "payload": payload,
            **({} if reason is None else {"reason": reason}),
        }
        submission = Submission(
            org_id=ADMIN_ORG,
            events=(canonical_bytes(event),),
            retention=self._retention,
            governor=credentials.governor_key(self._secrets.master(), ADMIN_ORG),
            deadline_ms=patience_ms if deadline_ms is None else min(deadline_ms, patience_ms),
        )
        return self._appender.append(submission)[0]

    def _own(self) -> OrgConfig:
        return OrgConfig(org_id=ADMIN_ORG, created_at=instants.to_text(self._clock.now_ms()), keys=())
