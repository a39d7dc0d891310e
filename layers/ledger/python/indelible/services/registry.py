# SPDX-License-Identifier: Apache-2.0
"""Organisations: who may record, and with which keys.

Secrets are derived and never stored, so a secret is shown when it is made and can be derived again only by who
may read the master secret. Keys overlap: a new one works beside the old until the old is disabled.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from indelible.domain import credentials, instants
from indelible.domain.record import ORG_ID
from indelible.errors import InvalidField, NotFound, OrgExists, Unavailable
from indelible.ports import Clock, Organisations, OrgConfig, OrgKey, SecretSource

MOST_ACTIVE_KEYS = 4


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key with its secret, to be shown once."""

    org_id: str
    key_id: str
    hmac_secret: str


class Registry:
    """Administrative acts."""

    def __init__(self, *, organisations: Organisations, secrets: SecretSource, clock: Clock) -> None:
        self._organisations = organisations
        self._secrets = secrets
        self._clock = clock

    def create(self, org_id: str) -> NewKey:
        """Register an organisation with its first key.

        Raises InvalidField for a name that is not allowed, OrgExists for one that is taken: a name is never given
        out twice, because its chain is for ever.
        """
        if not re.fullmatch(ORG_ID, org_id, re.ASCII):
            raise InvalidField(f"must match ^{ORG_ID}$, for example acme-corp", field="org_id")
        now = self._now()
        config = OrgConfig(org_id=org_id, created_at=now, keys=(OrgKey(key_id="k1", created_at=now),))
        if not self._organisations.create(config):
            raise OrgExists(f"{org_id} exists already", field="org_id")
        return self._shown(org_id, "k1")

    def rotate(self, org_id: str) -> NewKey:
        """Add a key. The older ones go on working until they are disabled.

        Raises NotFound, or InvalidField when too many keys are active or the organisation is disabled.
        """
        old = self._get(org_id)
        if old.disabled_at:
            raise InvalidField(f"{org_id} is disabled", field="org_id")
        if len(old.active_keys()) >= MOST_ACTIVE_KEYS:
            raise InvalidField(f"at most {MOST_ACTIVE_KEYS} keys may be active: disable one first", field="key_id")
        key = OrgKey(key_id=f"k{len(old.keys) + 1}", created_at=self._now())
        self._replace(old, replace(old, keys=(*old.keys, key)))
        return self._shown(org_id, key.key_id)

    def disable(self, org_id: str, key_id: str | None = None) -> OrgConfig:
        """Disable one key, or the whole organisation. Records stay; nothing new is accepted.

        Raises NotFound for an organisation or a key that does not exist.
        """
        old, now = self._get(org_id), self._now()
        if key_id is None:
            new = replace(old, disabled_at=old.disabled_at or now)
        else:
            if key_id not in {key.key_id for key in old.keys}:
                raise NotFound(f"{org_id} has no key {key_id}", field="key_id")
            keys = tuple(
                replace(key, disabled_at=key.disabled_at or now) if key.key_id == key_id else key for key in old.keys
            )
            new = replace(old, keys=keys)
        self._replace(old, new)
        return new

    def list(self) -> list[OrgConfig]:
        """Every organisation, by name."""
        found = (self._organisations.get(org_id) for org_id in self._organisations.all())
        return [config for config in found if config is not None]

    def _get(self, org_id: str) -> OrgConfig:
        config = self._organisations.get(org_id)
        if config is None:
            raise NotFound(f"there is no organisation {org_id}", field="org_id")
        return config

    def _replace(self, old: OrgConfig, new: OrgConfig) -> None:
        if not self._organisations.replace(old, new):
            raise Unavailable(f"{old.org_id} was changed by somebody else meanwhile; try again")

    def _shown(self, org_id: str, key_id: str) -> NewKey:
        secret = credentials.hmac_secret(self._secrets.master(), org_id, key_id)
        return NewKey(org_id=org_id, key_id=key_id, hmac_secret=secret)

    def _now(self) -> str:
        return instants.to_text(self._clock.now_ms())
