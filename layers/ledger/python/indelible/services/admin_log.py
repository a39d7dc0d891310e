# SPDX-License-Identifier: Apache-2.0
"""Record administrative acts, in the chain of the ledger's own organisation `_admin`.

Invariant: an act is recorded before it is done. A crash in between leaves the record of an act that was ordered and not
done, which can be explained. The other order would leave an act without a record.
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
    """Records acts of one `actor`, for example the ARN of the operator's AWS identity, or of the actor of each call.

    `organisations` is None for functions that may not register `_admin`. The first act of an operator has done that.
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
        """Record that `action` is done to `target`, say `org.rotate` to `acme-corp`. Raises what `Appender` raises.

        `actor` replaces that of the constructor. `deadline_ms` (Unix milliseconds) may shorten the 20 seconds in which
        it must be committed.
        """
        if self._organisations is not None:
            self._organisations.create(self._own())  # so that the anchor finds it; idempotent
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
