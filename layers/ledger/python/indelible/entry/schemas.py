# SPDX-License-Identifier: Apache-2.0
"""JSON Schema (2020-12) of the models: what msgspec generates, completed for publication.

Invariant: a request that its schema rejects is refused with 400. A request that its schema accepts is refused only for
reasons that a schema cannot express (docs/rest.md lists them).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from indelible.domain.event import OTHER_NAMES
from indelible.entry import export_models, meta_models, models, proof_models

Schema = dict[str, Any]

_MODELS = vars(proof_models) | vars(export_models) | vars(meta_models) | vars(models)

_ONE_NAME_EACH: Schema = {"not": {"anyOf": [{"required": [*names]} for names in OTHER_NAMES.items()]}}
_DECISION_HAS_REASON: Schema = {
    "if": {"properties": {"level": {"const": "decision"}}, "required": ["level"]},
    "then": {"required": ["reason"]},
}
_ADDITIONS: dict[str, Schema] = {
    "Event": _ONE_NAME_EACH | _DECISION_HAS_REASON,
    "RecordRequest": _ONE_NAME_EACH | _DECISION_HAS_REASON,
    "ProveRequest": {"oneOf": [{"required": ["audit_id"]}, {"required": ["tx_hash"]}]},
    "FailureCode": {"description": "Stable: never renamed, never reused. docs/format.md explains each."},
}
"""Mostly what the operations check in addition to the models. Some MCP clients reject these at the top of a schema."""


def components(published: Sequence[type[Struct]], ref_template: str) -> Schema:
    """The schemas of these models and of all that they refer to, by name."""
    _, found = msgspec.json.schema_components(published, ref_template=ref_template)
    for name, schema in found.items():
        if _sends_all_members(_MODELS.get(name)):
            schema["required"] = list(schema["properties"])
        schema |= _ADDITIONS.get(name, {})
    return {name: _to_portable(found[name]) for name in sorted(found)}


def _sends_all_members(model: object) -> bool:
    # A response includes members that have their default. Requests, which forbid unknown members, need not.
    if not (isinstance(model, type) and issubclass(model, Struct)):
        return False
    settings = model.__struct_config__
    return not settings.omit_defaults and not settings.forbid_unknown_fields


def _to_portable(node: Any) -> Any:  # noqa: ANN401 -- any JSON value
    """Without the part of a pattern that only Python needs (see `models.OrgId`), and without an empty `required`."""
    if isinstance(node, list):
        return [_to_portable(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {name: _to_portable(value) for name, value in node.items() if not (name == "required" and value == [])}
    if isinstance(kept.get("pattern"), str):
        kept["pattern"] = kept["pattern"].replace(r"$(?!\n)", "$")
    return kept
