# SPDX-License-Identifier: Apache-2.0
"""Records as rows of a table, for CSV and Parquet. Lists and the payload are JSON text."""

from __future__ import annotations

import json
from typing import Any

from indelible.views.source import Entry

INTEGERS = ("sequence",)
FLOATS = ("confidence",)
BOOLEANS = ("human_overridden",)
COLUMNS = (
    "sequence",
    "timestamp",
    "event_type",
    "level",
    "actor",
    "action",
    "target",
    "reason",
    "trace_id",
    "correlation_id",
    "occurred_at",
    "intent_id",
    "agent_urn",
    "policy_urn",
    "outcome",
    "regulations",
    "rule_citations",
    "confidence",
    "human_overridden",
    "human_operator",
    "human_reason",
    "payload",
    "sanitized_paths",
    "audit_id",
    "tx_hash",
    "prev_hash",
    "lock_mode",
    "retain_until",
    "s3_key",
    "s3_version_id",
)

_EVENT_FIELDS = (
    "event_type",
    "level",
    "actor",
    "action",
    "target",
    "reason",
    "trace_id",
    "correlation_id",
    "occurred_at",
)
_CONTEXT_FIELDS = ("intent_id", "agent_urn", "policy_urn", "outcome")


def row(entry: Entry) -> dict[str, Any]:
    """The value of each column; None if the record does not state it, or if it has another type."""
    regulatory = entry.part("regulatory")
    override = regulatory.get("human_override")
    override = override if isinstance(override, dict) else {}
    return {
        "sequence": entry.sealed.sequence,
        **{name: entry.members[name] for name in ("timestamp", "audit_id", "prev_hash", "lock_mode", "retain_until")},
        **{name: _text(entry.event.get(name)) for name in _EVENT_FIELDS},
        **{name: _text(entry.part("aow_context").get(name)) for name in _CONTEXT_FIELDS},
        **{name: _json(regulatory.get(name)) for name in ("regulations", "rule_citations")},
        "confidence": _number(regulatory.get("confidence")),
        "human_overridden": _flag(override.get("overridden")),
        "human_operator": _text(override.get("operator")),
        "human_reason": _text(override.get("reason")),
        "payload": _json(entry.event.get("payload", entry.event.get("detail"))),
        "sanitized_paths": _json(entry.event.get("sanitized_paths")),
        "tx_hash": entry.sealed.tx_hash,
        "s3_key": entry.receipt["s3_key"],
        "s3_version_id": entry.receipt["s3_version_id"],
    }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else _json(value)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
