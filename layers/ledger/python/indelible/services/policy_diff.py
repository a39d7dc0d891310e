# SPDX-License-Identifier: Apache-2.0
"""Compare two versions of an IAM policy: which statements are missing, and which were added.

Equivalent forms of a statement are equal: lists in another order, a value or a list of it, a number or its text, `"*"`
or `{"AWS": "*"}`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from indelible.ports.deployment import Statement

_LISTS = ("Action", "NotAction", "Resource", "NotResource")


@dataclass(frozen=True, slots=True)
class Drift:
    """Names of statements. An added Allow opens access; an added Deny may block the ledger."""

    missing: tuple[str, ...]
    added_allows: tuple[str, ...]
    added_denies: tuple[str, ...]


NO_DRIFT = Drift((), (), ())


def drift(wanted: Sequence[Statement], deployed: Sequence[Statement]) -> Drift:
    """How the deployed policy differs from the wanted one. A statement that was changed is both missing and added."""
    before, now = {_form(one): one for one in wanted}, {_form(one): one for one in deployed}
    added = [one for form, one in now.items() if form not in before]
    return Drift(
        missing=tuple(_name(one) for form, one in before.items() if form not in now),
        added_allows=tuple(_name(one) for one in added if one.get("Effect") == "Allow"),
        added_denies=tuple(_name(one) for one in added if one.get("Effect") != "Allow"),
    )


def _form(statement: Statement) -> str:
    kept: dict[str, Any] = {"Effect": statement.get("Effect"), "Principal": _principal(statement.get("Principal"))}
    kept |= {name: sorted(_texts(statement[name])) for name in _LISTS if name in statement}
    kept["Condition"] = {
        operator: {key.lower(): sorted(_texts(values)) for key, values in clauses.items()}
        for operator, clauses in statement.get("Condition", {}).items()
    }
    return json.dumps(kept, sort_keys=True)


def _principal(principal: Any) -> Any:  # noqa: ANN401 -- any JSON
    if isinstance(principal, dict):
        if principal == {"AWS": "*"}:
            return "*"
        return {kind: sorted(_texts(who)) for kind, who in principal.items()}
    return principal


def _texts(value: Any) -> list[str]:  # noqa: ANN401 -- any JSON
    values = value if isinstance(value, (list, tuple)) else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]


def _name(statement: Statement) -> str:
    actions = ", ".join(_texts(statement.get("Action", statement.get("NotAction", "?"))))
    conditions = sorted(key for clauses in statement.get("Condition", {}).values() for key in clauses)
    described = f"{statement.get('Effect')} {actions}{' if ' + ', '.join(conditions) if conditions else ''}"
    return str(statement.get("Sid") or described)
