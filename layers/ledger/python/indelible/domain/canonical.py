# SPDX-License-Identifier: Apache-2.0
"""JSON in, one canonical form out.

Invariant: what `parse` lets through has exactly one RFC 8785 (JCS) serialization, and parsing that
serialization gives the same value again. Whatever would break this — duplicate members, numbers that IEEE 754
doubles cannot tell apart, strings without a UTF-8 form — is refused here, with the path of the offender.
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
"""Characters of a path in an answer."""

_LONGEST_SAFE_INTEGER = len(str(-MAX_NUMBER))

Path: TypeAlias = "tuple[Path, str | int] | None"
"""A place in a document, as a linked list from the leaf up: free to build, spelled out only when needed."""


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
    """The value of JSON text for whoever checks its parts apart. Nothing of it is safe to use before `check`.

    Raises InvalidJson, or NestingTooDeep where it could not be read at all.
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
    """Refuse a value tree that has no single canonical form.

    Iterative, so that depth is bounded by the rule and not by the interpreter's stack.
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
                # Numbers and plain text are most of what is sent, and most of what could be sent to keep us busy.
                if type(child) is int and -MAX_NUMBER <= child <= MAX_NUMBER:
                    continue
                _visit(child, (path, index), depth, stack)


def _visit(node: object, path: Path, depth: int, stack: list[tuple[object, Path, int]]) -> None:
    """Check a leaf now; put what has children on the stack, one entry for each, however many they are."""
    if isinstance(node, str):
        _check_text(node, path)
    elif isinstance(node, (dict, list)):
        if depth >= MAX_DEPTH:
            raise _too_deep(dotted(path))
        if node:
            stack.append((node, path, depth + 1))
    elif isinstance(node, (int, float)):
        if not -MAX_NUMBER <= node <= MAX_NUMBER:  # so put, it is true of NaN as well
            raise InvalidNumber(
                "numbers must be finite and within ±(2^53−1); send larger ones as strings", field=dotted(path)
            )
    elif isinstance(node, _Duplicate):
        raise DuplicateKey("an object names this member twice", field=dotted((path, node.key)))


def canonical_bytes(value: JsonValue) -> bytes:
    """RFC 8785 serialization of a value that `check` accepts."""
    return rfc8785.dumps(value)


def dotted(path: Path) -> str:
    """`payload.items[3].name`; the whole document is `body`. Cut where it gets longer than any name should be."""
    text = ""
    while path is not None:
        path, step = path
        text = f"[{step}]{text}" if isinstance(step, int) else f".{shortened(step)}{text}"
    return shortened(text.removeprefix(".")).encode("utf-8", "replace").decode("utf-8") or "body"


def shortened(text: str) -> str:
    """At most MAX_FIELD characters.

    A key may be as long as the body; an answer that repeated it could be too large for the gateway to pass on.
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


def _plain_number(digits: str) -> int | float:
    # 1.0 and 1 are one number in JSON Schema and have one serialization (RFC 8785 §3.2.2.3): one value here, too.
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
