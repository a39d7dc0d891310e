# SPDX-License-Identifier: Apache-2.0
"""JSON in, one canonical form out.

Invariant: what `parse` lets through has exactly one RFC 8785 (JCS) serialization, and parsing that
serialization gives the same value again. Whatever would break this — duplicate members, numbers that IEEE 754
doubles cannot tell apart, strings without a UTF-8 form — is refused here, with the path of the offender.
"""

from __future__ import annotations

import json
import math
from typing import TypeAlias

import rfc8785

from indelible.errors import DuplicateKey, InvalidJson, InvalidNumber, InvalidString, NestingTooDeep

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]

MAX_DEPTH = 32
"""Levels of objects and arrays, the outermost included."""

MAX_NUMBER = 2**53 - 1
"""Beyond this magnitude neighbouring integers share one double (RFC 7493 §2.2)."""

_LONGEST_SAFE_INTEGER = len(str(-MAX_NUMBER))

Path: TypeAlias = "tuple[Path, str | int] | None"
"""A place in a document, as a linked list from the leaf up: free to build, spelled out only when needed."""


def parse(data: bytes) -> JsonObject:
    """Parse a request body strictly (RFC 7493, I-JSON).

    Raises:
        InvalidJson: not UTF-8, not JSON, or not an object.
        DuplicateKey, InvalidNumber, InvalidString, NestingTooDeep: with the dotted path in `field`.
    """
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_object_without_duplicates, parse_int=_bounded_int)
    except UnicodeDecodeError as error:
        raise InvalidJson(f"the body is not UTF-8 (byte {error.start})", field="body") from None
    except json.JSONDecodeError as error:
        raise InvalidJson(
            f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})", field="body"
        ) from None
    except RecursionError:
        raise _too_deep("body") from None
    check(value)
    if not isinstance(value, dict):
        raise InvalidJson("the body must be a JSON object", field="body")
    return value


def check(value: object) -> None:
    """Refuse a value tree that has no single canonical form.

    Iterative, so that depth is bounded by the rule and not by the interpreter's stack.
    """
    stack: list[tuple[object, Path, int]] = [(value, None, 1)]
    while stack:
        node, path, depth = stack.pop()
        if isinstance(node, str):
            _check_text(node, path)
        elif isinstance(node, dict):
            if depth > MAX_DEPTH:
                raise _too_deep(dotted(path))
            for key, child in node.items():
                _check_text(key, path)
                stack.append((child, (path, key), depth + 1))
        elif isinstance(node, list):
            if depth > MAX_DEPTH:
                raise _too_deep(dotted(path))
            stack.extend((child, (path, index), depth + 1) for index, child in enumerate(node))
        elif isinstance(node, (int, float)):
            if not math.isfinite(node) or abs(node) > MAX_NUMBER:
                raise InvalidNumber(
                    "numbers must be finite and within ±(2^53−1); send larger ones as strings",
                    field=dotted(path),
                )
        elif isinstance(node, _Duplicate):
            raise DuplicateKey("an object names this member twice", field=dotted((path, node.key)))


def canonical_bytes(value: JsonValue) -> bytes:
    """RFC 8785 serialization of a value that `check` accepts."""
    return rfc8785.dumps(value)


def dotted(path: Path) -> str:
    """`payload.items[3].name`; the whole document is `body`."""
    text = ""
    while path is not None:
        path, step = path
        text = f"[{step}]{text}" if isinstance(step, int) else f".{step}{text}"
    return text.removeprefix(".").encode("utf-8", "replace").decode("utf-8") or "body"


def pointer(path: Path) -> str:
    """RFC 6901 JSON Pointer: `/payload/items/3/name`."""
    text = ""
    while path is not None:
        path, step = path
        escaped = str(step).replace("~", "~0").replace("/", "~1")
        text = f"/{escaped}{text}"
    return text


class _Duplicate:
    """Stands in the parsed tree for an object with a repeated member, until `check` can name its path."""

    def __init__(self, key: str) -> None:
        self.key = key


def _object_without_duplicates(pairs: list[tuple[str, JsonValue]]) -> JsonObject | _Duplicate:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    seen: set[str] = set()
    return _Duplicate(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]


def _bounded_int(digits: str) -> int:
    # Converting a million digits takes quadratic time; anything this long is out of range whatever it says.
    return int(digits) if len(digits) <= _LONGEST_SAFE_INTEGER else MAX_NUMBER + 1


def _check_text(text: str, path: Path) -> None:
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidString("a lone surrogate has no UTF-8 form", field=dotted(path)) from None


def _too_deep(field: str) -> NestingTooDeep:
    return NestingTooDeep(f"at most {MAX_DEPTH} levels of nesting are allowed", field=field)
