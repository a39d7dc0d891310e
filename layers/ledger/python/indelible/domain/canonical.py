# SPDX-License-Identifier: Apache-2.0
"""Strict parsing and canonical serialization of JSON.

Invariant: what `parse` accepts has exactly one RFC 8785 (JCS) serialization, and parsing that serialization gives
the same value again. Input that would break this is refused with its path: duplicate members, numbers that IEEE 754
doubles cannot distinguish, strings without a UTF-8 form.
"""

from __future__ import annotations

import json
from typing import TypeAlias

import rfc8785

from indelible.errors import DuplicateKey, InvalidJson, InvalidNumber, InvalidString, NestingTooDeep

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]

MAX_DEPTH = 32
"""Levels of objects and arrays, the outermost included."""

MAX_NUMBER = 2**53 - 1
"""Beyond this magnitude neighbouring integers share one double (RFC 7493 §2.2)."""

MAX_FIELD = 256
"""Characters of a path in an error, at most."""

_LONGEST_SAFE_INTEGER = len(str(-MAX_NUMBER))

Path: TypeAlias = "tuple[Path, str | int] | None"
"""A location in a document, as a linked list from the leaf up: cheap to build, formatted only for an error."""


def parse(data: bytes) -> JsonObject:
    """Parse a request body strictly (RFC 7493, I-JSON).

    Raises:
        InvalidJson: not UTF-8, not JSON, or not an object.
        DuplicateKey, InvalidNumber, InvalidString, NestingTooDeep: with the dotted path in `field`.
    """
    value = decode(data)
    check(value)
    if not isinstance(value, dict):
        raise InvalidJson("the body must be a JSON object", field="body")
    return value


def decode(data: bytes) -> object:
    """Parse JSON text without `check`, which the caller must apply to every part before using it.

    Raises InvalidJson, or NestingTooDeep if the parser itself ran out of stack.
    """
    try:
        value: object = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object_without_duplicates,
            parse_int=_bounded_int,
            parse_float=_plain_number,
        )
    except UnicodeDecodeError as error:
        raise InvalidJson(f"the body is not UTF-8 (byte {error.start})", field="body") from None
    except json.JSONDecodeError as error:
        raise InvalidJson(
            f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})", field="body"
        ) from None
    except RecursionError:
        raise _too_deep("body") from None
    return value


def check(value: object) -> None:
    """Refuse a value that has no single canonical form. Raises as `parse` does.

    Iterative, so that depth is limited by the rule and not by the interpreter's stack.
    """
    stack: list[tuple[object, Path, int]] = []
    _visit(value, None, 0, stack)
    while stack:
        node, path, depth = stack.pop()
        if isinstance(node, dict):
            for key, child in node.items():
                _check_text(key, path)
                _visit(child, (path, key), depth, stack)
        elif isinstance(node, list):
            for index, child in enumerate(node):
                # A fast path: long arrays of integers are common, and an attacker's cheapest way to use up time.
                if type(child) is int and -MAX_NUMBER <= child <= MAX_NUMBER:
                    continue
                _visit(child, (path, index), depth, stack)


def _visit(node: object, path: Path, depth: int, stack: list[tuple[object, Path, int]]) -> None:
    """Check a leaf at once; push a container onto the stack as one entry, however many children it has."""
    if isinstance(node, str):
        _check_text(node, path)
    elif isinstance(node, (dict, list)):
        if depth >= MAX_DEPTH:
            raise _too_deep(dotted(path))
        if node:
            stack.append((node, path, depth + 1))
    elif isinstance(node, (int, float)):
        if not -MAX_NUMBER <= node <= MAX_NUMBER:  # also true of NaN
            raise InvalidNumber(
                "numbers must be finite and within ±(2^53−1); send larger ones as strings", field=dotted(path)
            )
    elif isinstance(node, _Duplicate):
        raise DuplicateKey("an object names this member twice", field=dotted((path, node.key)))


def canonical_bytes(value: JsonValue) -> bytes:
    """RFC 8785 serialization of a value that `check` accepts."""
    return rfc8785.dumps(value)


def dotted(path: Path) -> str:
    """`payload.items[3].name`; `body` for the whole document. At most MAX_FIELD characters."""
    text = ""
    while path is not None:
        path, step = path
        text = f"[{step}]{text}" if isinstance(step, int) else f".{shorten(step)}{text}"
    return shorten(text.removeprefix(".")).encode("utf-8", "replace").decode("utf-8") or "body"


def shorten(text: str) -> str:
    """The text, cut to MAX_FIELD characters.

    A key may be as long as the body, and an error that repeated it could exceed the gateway's limit.
    """
    return text if len(text) <= MAX_FIELD else f"{text[: MAX_FIELD - 1]}…"


def pointer(path: Path) -> str:
    """RFC 6901 JSON Pointer: `/payload/items/3/name`."""
    text = ""
    while path is not None:
        path, step = path
        escaped = str(step).replace("~", "~0").replace("/", "~1")
        text = f"/{escaped}{text}"
    return text


class _Duplicate:
    """Replaces an object with a repeated member in the parsed tree, until `check` reports it with its path."""

    def __init__(self, key: str) -> None:
        self.key = key


def _object_without_duplicates(pairs: list[tuple[str, JsonValue]]) -> JsonObject | _Duplicate:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    seen: set[str] = set()
    return _Duplicate(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]


def _bounded_int(digits: str) -> int:
    # Converting a million digits takes quadratic time; any number this long is out of range.
    return int(digits) if len(digits) <= _LONGEST_SAFE_INTEGER else MAX_NUMBER + 1


def _plain_number(digits: str) -> int | float:
    # 1.0 and 1 are the same number in JSON Schema and have the same serialization (RFC 8785 §3.2.2.3).
    value = float(digits)
    return int(value) if value.is_integer() and abs(value) <= MAX_NUMBER else value


def _check_text(text: str, path: Path) -> None:
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidString("a lone surrogate has no UTF-8 form", field=dotted(path)) from None


def _too_deep(field: str) -> NestingTooDeep:
    return NestingTooDeep(f"at most {MAX_DEPTH} levels of nesting are allowed", field=field)
