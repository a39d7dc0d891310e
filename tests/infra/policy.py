# SPDX-License-Identifier: Apache-2.0
"""Evaluates a bucket policy's Deny statements for one request, with IAM's rules for missing keys.

Just the operators that the evidence bucket uses, so that its tests can say what happens to a request
instead of repeating the policy's text. Source: IAM User Guide, "Condition operators": when the key is
missing, a negated string operator holds and a numeric one does not. ``…IfExists`` is not known here on
purpose: it holds when the key is missing, so that a Deny with it refuses more than it seems to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.infra.synth import as_list


def denied_by(statements: list[dict[str, Any]], action: str, resource: str, **context: str) -> set[str]:
    """Sids of the statements that refuse the request. Underscores in context keys stand for ``:`` and ``-``."""
    keys = {_key(name): value for name, value in context.items()}
    return {
        statement.get("Sid", "TLS")
        for statement in statements
        if statement["Effect"] == "Deny"
        and any(_like(pattern, action) for pattern in as_list(statement["Action"]))
        and _resource_matches(statement, resource)
        and _conditions_hold(statement.get("Condition", {}), keys)
    }


def _key(name: str) -> str:
    service, _, rest = name.partition("_")
    return f"{service}:{rest.replace('_', '-')}" if service == "s3" else f"aws:{rest}"


def _resource_matches(statement: Mapping[str, Any], resource: str) -> bool:
    if "NotResource" in statement:
        return not any(_like(pattern, resource) for pattern in as_list(statement["NotResource"]))
    return any(_like(pattern, resource) for pattern in as_list(statement["Resource"]))


def _conditions_hold(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    return all(
        _holds(operator, context.get(key), [str(v) for v in as_list(expected)])
        for operator, clauses in conditions.items()
        for key, expected in clauses.items()
    )


def _holds(operator: str, actual: str | None, expected: list[str]) -> bool:
    match operator:
        case "Null":
            return expected == [str(actual is None).lower()]
        case "StringNotEquals":
            return actual not in expected
        case "Bool":
            return actual is not None and actual in expected
        case "NumericLessThan":
            return actual is not None and any(float(actual) < float(bound) for bound in expected)
    raise AssertionError(f"the evaluator does not know {operator}")


def _like(pattern: str, text: str) -> bool:
    expression = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None
