# SPDX-License-Identifier: Apache-2.0
"""The registry from `_admin`'s chain: every organisation as its administrative acts have left it.

An act is written down before it is done (services/diary.py), so the chain is never behind the registry, and an act
that a crash prevented counts here as done: what was ordered is in force. Times are those of the records, some
milliseconds after those that the registry noted; where the registry still has a key, its own times stay.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from indelible.domain import instants
from indelible.domain.organisation import OrgConfig, OrgKey
from indelible.domain.record import ADMIN_ORG, Record


@dataclass(slots=True)
class Acts:
    """Fed with the records of `_admin` in order. What is no act that changes the registry is passed over."""

    configs: dict[str, OrgConfig] = field(default_factory=dict)

    def take(self, entry: Record) -> None:
        """The next act."""
        at = instants.to_text(entry.timestamp_ms)
        self.configs.setdefault(ADMIN_ORG, OrgConfig(org_id=ADMIN_ORG, created_at=at, keys=()))
        event = json.loads(entry.data)["event"]
        target, payload = event.get("target"), event.get("payload", {})
        if event.get("action") == "org.create":
            # A name is given out once: of two that raced for it the second got nothing.
            self.configs.setdefault(target, _created(target, payload, at))
        elif target in self.configs:
            self.configs[target] = _changed(self.configs[target], event.get("action"), payload, at)


def _created(org_id: str, payload: dict[str, Any], at: str) -> OrgConfig:
    keys = (OrgKey(key_id=payload["key_id"], created_at=at),)
    return OrgConfig(org_id=org_id, created_at=at, keys=keys, retention_days=payload.get("retention_days"))


def _changed(config: OrgConfig, action: str, payload: dict[str, Any], at: str) -> OrgConfig:
    match action:
        case "org.keep":
            return replace(config, retention_days=payload["retention_days"])
        case "org.rotate" if payload["key_id"] not in {key.key_id for key in config.keys}:
            return replace(config, keys=(*config.keys, OrgKey(key_id=payload["key_id"], created_at=at)))
        case "org.disable" if payload["key_id"] is None:
            return replace(config, disabled_at=config.disabled_at or at)
        case "org.disable":
            return replace(config, keys=tuple(_disabled(key, payload["key_id"], at) for key in config.keys))
        case "org.allow" if payload["principal"] not in config.principals:
            return replace(config, principals=(*config.principals, payload["principal"]))
        case "org.deny":
            kept = tuple(principal for principal in config.principals if principal != payload["principal"])
            return replace(config, principals=kept)
    return config


def _disabled(key: OrgKey, key_id: str, at: str) -> OrgKey:
    return replace(key, disabled_at=key.disabled_at or at) if key.key_id == key_id else key


def settled(stored: OrgConfig | None, acts: OrgConfig) -> OrgConfig:
    """What the registry should have: the stored config where it says the same, else the acts with its times.

    A stored config that has a key of which no act tells is later than the acts, or older than the diary: it stays.
    """
    if stored is None:
        return acts
    known = {key.key_id: key for key in stored.keys}
    if known.keys() - {key.key_id for key in acts.keys} or _substance(stored) == _substance(acts):
        return stored
    return replace(
        acts,
        created_at=stored.created_at,
        disabled_at=stored.disabled_at or acts.disabled_at if acts.disabled_at else None,
        keys=tuple(_with_times_of(known.get(key.key_id, key), key) for key in acts.keys),
    )


def _with_times_of(stored: OrgKey, key: OrgKey) -> OrgKey:
    disabled_at = (stored.disabled_at or key.disabled_at) if key.disabled_at else None
    return replace(key, created_at=stored.created_at, disabled_at=disabled_at)


def _substance(config: OrgConfig) -> object:
    """All but the times."""
    keys = tuple((key.key_id, key.disabled_at is None) for key in config.keys)
    return config.org_id, keys, config.disabled_at is None, config.retention_days, config.principals
