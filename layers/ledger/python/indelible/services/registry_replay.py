# SPDX-License-Identifier: Apache-2.0
"""Replay the administrative acts in `_admin`'s chain, to learn what the registry must say of every organisation.

An act is recorded before it is done (services/admin_log.py), so the chain is never behind the registry, and an act that
a crash prevented counts here as done: what was ordered is in force. Times are those of the records, some milliseconds
after those in the registry; where the registry still has a key, its own times stay.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import msgspec

from indelible.domain import instants
from indelible.domain.organisation import OrgConfig, OrgKey
from indelible.domain.record import ADMIN_ORG, Record


class _FirstKey(msgspec.Struct):
    key_id: str
    retention_days: int | None = None


class _Key(msgspec.Struct):
    key_id: str


class _KeyOrAll(msgspec.Struct):
    key_id: str | None


class _Days(msgspec.Struct):
    retention_days: int


class _Principal(msgspec.Struct):
    principal: str


class _Create(msgspec.Struct, tag_field="action", tag="org.create"):
    target: str
    payload: _FirstKey


class _Keep(msgspec.Struct, tag_field="action", tag="org.keep"):
    target: str
    payload: _Days


class _Rotate(msgspec.Struct, tag_field="action", tag="org.rotate"):
    target: str
    payload: _Key


class _Disable(msgspec.Struct, tag_field="action", tag="org.disable"):
    target: str
    payload: _KeyOrAll


class _Allow(msgspec.Struct, tag_field="action", tag="org.allow"):
    target: str
    payload: _Principal


class _Deny(msgspec.Struct, tag_field="action", tag="org.deny"):
    target: str
    payload: _Principal


_Act = _Create | _Keep | _Rotate | _Disable | _Allow | _Deny


class _Written(msgspec.Struct):
    event: _Act


_DECODER = msgspec.json.Decoder(_Written)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass(slots=True)
class RegistryReplay:
    """The registry after the acts so far.

    A record that is not one of these acts, or cannot be read, changes nothing: whether the chain of `_admin` is what
    was recorded is for the caller to check.
    """

    configs: dict[str, OrgConfig] = field(default_factory=dict)
    """By name."""

    def apply(self, entry: Record) -> None:
        """Apply the next record of `_admin`."""
        at = instants.to_text(entry.timestamp_ms)
        self.configs.setdefault(ADMIN_ORG, OrgConfig(org_id=ADMIN_ORG, created_at=at, keys=()))
        try:
            act = _DECODER.decode(entry.data).event
        except _UNREADABLE:
            return
        if isinstance(act, _Create):
            # A name is given out once: of two creations that raced for it the second failed.
            self.configs.setdefault(act.target, _create(act, at))
        elif act.target in self.configs:
            self.configs[act.target] = _change(self.configs[act.target], act, at)


def _create(act: _Create, at: str) -> OrgConfig:
    keys = (OrgKey(key_id=act.payload.key_id, created_at=at),)
    return OrgConfig(org_id=act.target, created_at=at, keys=keys, retention_days=act.payload.retention_days)


def _change(config: OrgConfig, act: _Keep | _Rotate | _Disable | _Allow | _Deny, at: str) -> OrgConfig:
    match act:
        case _Keep(payload=_Days(retention_days=days)):
            return replace(config, retention_days=days)
        case _Rotate(payload=_Key(key_id=key_id)) if key_id not in {key.key_id for key in config.keys}:
            return replace(config, keys=(*config.keys, OrgKey(key_id=key_id, created_at=at)))
        case _Disable(payload=_KeyOrAll(key_id=None)):
            return replace(config, disabled_at=config.disabled_at or at)
        case _Disable(payload=_KeyOrAll(key_id=key_id)):
            return replace(config, keys=tuple(_disable(key, key_id, at) for key in config.keys))
        case _Allow(payload=_Principal(principal=allowed)) if allowed not in config.principals:
            return replace(config, principals=(*config.principals, allowed))
        case _Deny(payload=_Principal(principal=denied)):
            return replace(config, principals=tuple(kept for kept in config.principals if kept != denied))
    return config


def _disable(key: OrgKey, key_id: str | None, at: str) -> OrgKey:
    return replace(key, disabled_at=key.disabled_at or at) if key.key_id == key_id else key


def reconcile(stored: OrgConfig | None, replayed: OrgConfig) -> OrgConfig:
    """What the registry must have: the stored config where it says the same, else the replayed one with stored times.

    A stored config with a key that no act created stays: it is newer than the acts that were read, or older than
    `_admin`'s chain.
    """
    if stored is None:
        return replayed
    known = {key.key_id: key for key in stored.keys}
    if known.keys() - {key.key_id for key in replayed.keys} or _substance(stored) == _substance(replayed):
        return stored
    return replace(
        replayed,
        created_at=stored.created_at,
        disabled_at=stored.disabled_at or replayed.disabled_at if replayed.disabled_at else None,
        keys=tuple(_with_times_of(known.get(key.key_id, key), key) for key in replayed.keys),
    )


def _with_times_of(stored: OrgKey, key: OrgKey) -> OrgKey:
    disabled_at = (stored.disabled_at or key.disabled_at) if key.disabled_at else None
    return replace(key, created_at=stored.created_at, disabled_at=disabled_at)


def _substance(config: OrgConfig) -> object:
    """All but the times."""
    keys = tuple((key.key_id, key.disabled_at is None) for key in config.keys)
    return config.org_id, keys, config.disabled_at is None, config.retention_days, config.principals
