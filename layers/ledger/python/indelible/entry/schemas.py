# SPDX-License-Identifier: Apache-2.0
"""JSON Schema (2020-12) of the models, as published: what msgspec says, made exact.

Invariant: a request that the published schema refuses is refused with 400, and a request that it takes is refused
only for what no schema can say (docs/rest.md lists it).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from indelible.domain.event import OTHER_NAMES
from indelible.entry import export_models, models, proof_models

Schema = dict[str, Any]

_DEFINED = vars(proof_models) | vars(export_models) | vars(models)

_NOT_BOTH_NAMES: Schema = {"not": {"anyOf": [{"required": [*names]} for names in OTHER_NAMES.items()]}}
_A_DECISION_SAYS_WHY: Schema = {
    "if": {"properties": {"level": {"const": "decision"}}, "required": ["level"]},
    "then": {"required": ["reason"]},
}
_BESIDES: dict[str, Schema] = {
    "Event": _NOT_BOTH_NAMES | _A_DECISION_SAYS_WHY,
    "RecordRequest": _NOT_BOTH_NAMES | _A_DECISION_SAYS_WHY,
    "ProveRequest": {"oneOf": [{"required": ["audit_id"]}, {"required": ["tx_hash"]}]},
    "FailureCode": {"description": "Stable: never renamed, never reused. docs/format.md explains each."},
}
"""Above all what the operations check beyond the models. Not every reader of a tool's schema takes these at its top."""


def components(published: Sequence[type[Struct]], ref_template: str) -> Schema:
    """Schemas by name, those that they refer to included."""
    _, found = msgspec.json.schema_components(published, ref_template=ref_template)
    for name, schema in found.items():
        if _always_whole(_DEFINED.get(name)):
            schema["required"] = list(schema["properties"])
        schema |= _BESIDES.get(name, {})
    return {name: _portable(found[name]) for name in sorted(found)}


def _always_whole(model: object) -> bool:
    # A default is one for whoever makes an answer; whoever reads it finds every member. Only requests forbid others.
    if not (isinstance(model, type) and issubclass(model, Struct)):
        return False
    settings = model.__struct_config__
    return not settings.omit_defaults and not settings.forbid_unknown_fields


def _portable(node: Any) -> Any:  # noqa: ANN401 -- any JSON value
    """Patterns without what only Python needs (its $ lets a last newline by), no empty `required`."""
    if isinstance(node, list):
        return [_portable(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {name: _portable(value) for name, value in node.items() if not (name == "required" and value == [])}
    if isinstance(kept.get("pattern"), str):
        kept["pattern"] = kept["pattern"].replace(r"$(?!\n)", "$")
    return kept
