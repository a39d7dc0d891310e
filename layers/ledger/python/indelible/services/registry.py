# SPDX-License-Identifier: Apache-2.0
"""Organisations: who may record, with which keys, and for how long records are kept.

Secrets are derived from the master secret and never stored. A secret is returned once, when its key is made. Keys
overlap: a new one works beside the older ones until those are disabled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from indelible.domain import credentials, instants
from indelible.domain.identity import principal_arn
from indelible.domain.organisation import OrgConfig, OrgKey
from indelible.domain.record import ADMIN_ORG, ORG_ID
from indelible.errors import HeadRegressed, InvalidField, NotFound, OrgExists, Unavailable
from indelible.ports import Clock, Journal, LogHead, Organisations, SecretSource
from indelible.services.admin_log import AdminLog

MOST_ACTIVE_KEYS = 4
MOST_PRINCIPALS = 100
MOST_RETENTION_DAYS = 36_500
"""S3's own ceiling: a hundred years."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key with its secret, to be shown once."""

    org_id: str
    key_id: str
    hmac_secret: str


@dataclass(frozen=True, slots=True)
class Usage:
    """An organisation and what it has recorded; times are RFC 3339."""

    config: OrgConfig
    records: int
    """Committed."""
    last_recorded_at: str | None
    anchored: int
    """Under a published checkpoint."""
    anchored_until: str | None
    """The time of the last record that is anchored."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """An organisation with an item in the table that cannot be read; `message` names the item."""

    org_id: str
    message: str


class Registry:
    """Administrative acts. Each is recorded in the chain of `_admin` before it is done.

    Methods that change an organisation raise Unavailable, and change nothing, when another operator changed it at the
    same time; and what recording raises.
    """

    def __init__(
        self,
        *,
        organisations: Organisations,
        secrets: SecretSource,
        clock: Clock,
        admin_log: AdminLog,
        journal: Journal,
        log: LogHead,
        ledger_days: int,
    ) -> None:
        self._organisations = organisations
        self._secrets = secrets
        self._clock = clock
        self._admin_log = admin_log
        self._journal = journal
        self._log = log
        self._ledger_days = ledger_days

    def create(self, org_id: str, *, retention_days: int | None = None) -> NewKey:
        """Register an organisation with its first key.

        `retention_days` may be longer than the ledger's, never shorter.

        Raises InvalidField for a name or a retention that is not allowed, OrgExists for a name that is taken. A name
        is never used again, because its chain cannot be deleted.
        """
        if not re.fullmatch(ORG_ID, org_id, re.ASCII):
            raise InvalidField(f"must match ^{ORG_ID}$, for example acme-corp", field="org_id")
        self._check_retention(retention_days, self._ledger_days)
        if self._organisations.get(org_id) is not None:
            raise OrgExists(f"{org_id} exists already", field="org_id")
        now = self._now()
        self._admin_log.write("org.create", org_id, {"key_id": "k1", "retention_days": retention_days})
        key = OrgKey(key_id="k1", created_at=now)
        config = OrgConfig(org_id=org_id, created_at=now, keys=(key,), retention_days=retention_days)
        if not self._organisations.create(config):
            raise OrgExists(f"{org_id} exists already", field="org_id")
        return self._new_key(org_id, "k1")

    def extend_retention(self, org_id: str, retention_days: int) -> OrgConfig:
        """Keep an organisation's new records longer. Raises NotFound, or InvalidField for a shorter retention."""
        old = self._get(org_id)
        self._check_retention(retention_days, max(self._ledger_days, old.retention_days or 0))
        self._admin_log.write("org.keep", org_id, {"retention_days": retention_days})
        return self._replace(old, replace(old, retention_days=retention_days))

    def rotate(self, org_id: str) -> NewKey:
        """Add a key. The older ones keep working until they are disabled.

        Raises NotFound, or InvalidField when too many keys are active or the organisation is disabled.
        """
        old = self._get(org_id)
        if old.disabled_at:
            raise InvalidField(f"{org_id} is disabled", field="org_id")
        if len(old.active_keys()) >= MOST_ACTIVE_KEYS:
            raise InvalidField(f"at most {MOST_ACTIVE_KEYS} keys can be active: disable one first", field="key_id")
        key = OrgKey(key_id=f"k{len(old.keys) + 1}", created_at=self._now())
        self._admin_log.write("org.rotate", org_id, {"key_id": key.key_id})
        self._replace(old, replace(old, keys=(*old.keys, key)))
        return self._new_key(org_id, key.key_id)

    def disable(self, org_id: str, key_id: str | None = None) -> OrgConfig:
        """Disable one key, or the whole organisation. Its records stay; new requests are refused. Idempotent.

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
        self._admin_log.write("org.disable", org_id, {"key_id": key_id})
        return self._replace(old, new)

    def allow(self, org_id: str, principal: str) -> OrgConfig:
        """Allow an IAM role or user to act for the organisation, where the ledger authenticates by IAM. Idempotent.

        `principal` is its ARN; that of a session means its role.

        Raises NotFound, or InvalidField for another kind of ARN, too many principals, or a disabled organisation.
        """
        arn, old = _arn(principal), self._get(org_id)
        if old.disabled_at or org_id == ADMIN_ORG:
            raise InvalidField(f"{org_id} is {'disabled' if old.disabled_at else 'closed to callers'}", field="org_id")
        if arn in old.principals:
            return old
        if len(old.principals) >= MOST_PRINCIPALS:
            raise InvalidField(f"at most {MOST_PRINCIPALS} can be allowed: deny one first", field="principal")
        self._admin_log.write("org.allow", org_id, {"principal": arn})
        return self._replace(old, replace(old, principals=(*old.principals, arn)))

    def deny(self, org_id: str, principal: str) -> OrgConfig:
        """Undo `allow`. Raises NotFound for an organisation that does not exist, or a principal that is not allowed."""
        arn, old = _arn(principal), self._get(org_id)
        if arn not in old.principals:
            raise NotFound(f"{arn} is not allowed for {org_id}", field="principal")
        self._admin_log.write("org.deny", org_id, {"principal": arn})
        return self._replace(old, replace(old, principals=tuple(one for one in old.principals if one != arn)))

    def usage(self) -> list[Usage | Damaged]:
        """Every organisation, sorted by name, the ledger's own `_admin` included."""
        found: list[Usage | Damaged] = []
        for org_id in self._organisations.all():
            try:
                found += self._usage(org_id)
            except HeadRegressed as error:
                found.append(Damaged(org_id, error.message))
        return found

    def _usage(self, org_id: str) -> Iterator[Usage]:
        """Nothing for a name that has lost its config."""
        config = self._organisations.get(org_id)
        if config is None:
            return
        head, log = self._journal.head(org_id), self._log.read(org_id)
        yield Usage(
            config=config,
            records=head.sequence,
            last_recorded_at=instants.to_text(head.timestamp_ms) if head.sequence else None,
            anchored=log.tree_size,
            anchored_until=instants.to_text(log.published.timestamp_ms) if log.tree_size else None,
        )

    def _check_retention(self, days: int | None, least: int) -> None:
        if days is not None and not least <= days <= MOST_RETENTION_DAYS:
            raise InvalidField(f"must be from {least} to {MOST_RETENTION_DAYS} days", field="retention_days")

    def _get(self, org_id: str) -> OrgConfig:
        config = self._organisations.get(org_id)
        if config is None:
            raise NotFound(f"there is no organisation {org_id}", field="org_id")
        return config

    def _replace(self, old: OrgConfig, new: OrgConfig) -> OrgConfig:
        if not self._organisations.replace(old, new):
            raise Unavailable(f"{old.org_id} was changed by another operator at the same time; try again")
        return new

    def _new_key(self, org_id: str, key_id: str) -> NewKey:
        secret = credentials.hmac_secret(self._secrets.master(), org_id, key_id)
        return NewKey(org_id=org_id, key_id=key_id, hmac_secret=secret)

    def _now(self) -> str:
        return instants.to_text(self._clock.now_ms())


def _arn(principal: str) -> str:
    arn = principal_arn(principal.strip())
    if arn is None:
        raise InvalidField(
            "must be the ARN of one IAM role or user, for example arn:aws:iam::123456789012:role/recorder",
            field="principal",
        )
    return arn
