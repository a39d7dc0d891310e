# SPDX-License-Identifier: Apache-2.0
"""Requests that must be refused: what cannot be read, is too large, or comes from nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.helpers.tenant import EVENT

RECORD, BATCH, PROVE, VERIFY = "/v1/record", "/v1/record/batch", "/v1/prove", "/v1/verify"


@dataclass(frozen=True)
class Case:
    """`body`: bytes go as they are; a mapping is signed, unless it brings its own `signature`."""

    name: str
    body: bytes | Mapping[str, Any]
    code: str
    field: str
    path: str = RECORD
    status: int = 400
    headers: Mapping[str, str] = field(default_factory=dict)


def raw(payload: str) -> bytes:
    return b'{"org_id":"acme-corp","signature":"00","event_type":"X","payload":' + payload.encode() + b"}"


NOT_JSON = [
    Case("not JSON", b"event_type=AGENT_DECISION", "INVALID_JSON", "body"),
    Case("empty body", b"", "INVALID_JSON", "body"),
    Case("whitespace", b" \n", "INVALID_JSON", "body"),
    Case("cut off", b'{"org_id": "acme-corp", "event_ty', "INVALID_JSON", "body"),
    Case("two documents", b"{}{}", "INVALID_JSON", "body"),
    Case("trailing comma", b'{"org_id": "acme-corp",}', "INVALID_JSON", "body"),
    Case("single quotes", b"{'org_id': 'acme-corp'}", "INVALID_JSON", "body"),
    Case("byte order mark", b'\xef\xbb\xbf{"org_id": "acme-corp"}', "INVALID_JSON", "body"),
    Case("array", b"[]", "INVALID_JSON", "body"),
    Case("string", b'"acme-corp"', "INVALID_JSON", "body"),
    Case("null", b"null", "INVALID_JSON", "body"),
    Case("number", b"1", "INVALID_JSON", "body"),
    Case(
        "not UTF-8",
        b'{"org_id": "\xff\xfe"}',
        "INVALID_JSON",
        "body",
        headers={"content-type": "application/octet-stream"},
    ),
    Case("gzip", b"\x1f\x8b\x08\x00\x00", "INVALID_JSON", "body", headers={"content-type": "application/gzip"}),
    Case("control character in a string", raw('{"a":"\x01"}'), "INVALID_JSON", "body"),
]

NOT_ONE_VALUE = [
    Case("duplicate member", b'{"event_type":"A","event_type":"B"}', "DUPLICATE_KEY", "event_type"),
    Case("duplicate member, spelled apart", b'{"org_id":"a1","org_\\u0069d":"a2"}', "DUPLICATE_KEY", "org_id"),
    Case("duplicate member deep down", raw('{"a":[{"b":1,"b":2}]}'), "DUPLICATE_KEY", "payload.a[0].b"),
    Case("NaN", raw('{"a":NaN}'), "INVALID_NUMBER", "payload.a"),
    Case("Infinity", raw('{"a":[Infinity]}'), "INVALID_NUMBER", "payload.a[0]"),
    Case("-Infinity", raw('{"a":-Infinity}'), "INVALID_NUMBER", "payload.a"),
    Case("1e400", raw('{"a":1e400}'), "INVALID_NUMBER", "payload.a"),
    Case("2^53", raw('{"a":9007199254740992}'), "INVALID_NUMBER", "payload.a"),
    Case("-2^53", raw('{"a":-9007199254740992}'), "INVALID_NUMBER", "payload.a"),
    Case("a million digits", raw('{"a":' + "9" * 1_000_000 + "}"), "INVALID_NUMBER", "payload.a"),
    Case("2^53 as a double", raw('{"a":9007199254740992.0}'), "INVALID_NUMBER", "payload.a"),
    Case("lone high surrogate", raw('{"a":"\\ud800"}'), "INVALID_STRING", "payload.a"),
    Case("lone low surrogate", raw('{"a":"x\\udc00y"}'), "INVALID_STRING", "payload.a"),
    Case("lone surrogate in a name", raw('{"\\ud800":1}'), "INVALID_STRING", "payload"),
    Case("depth 33", raw('{"a":' + "[" * 31 + "]" * 31 + "}"), "NESTING_TOO_DEEP", "payload.a" + "[0]" * 30),
    Case("depth 200", raw("[" * 200 + "]" * 200), "NESTING_TOO_DEEP", "payload" + "[0]" * 31),
    Case("depth 100000", raw("[" * 100_000 + "]" * 100_000), "NESTING_TOO_DEEP", "body"),
    Case("depth 100000 of objects, unclosed", b'{"a":' * 100_000, "NESTING_TOO_DEEP", "body"),
]

TOO_LARGE = [
    Case("300 KiB payload", {**EVENT, "payload": {"a": "x" * 300 * 1024}}, "TOO_LARGE", "payload", status=413),
    Case("300 KiB elsewhere", {**EVENT, "reason": "x" * 300 * 1024}, "TOO_LARGE", "reason", status=413),
    Case(
        "300 KiB in a batch",
        {"events": [EVENT, {**EVENT, "payload": {"a": "x" * 300 * 1024}}]},
        "TOO_LARGE",
        "events[1]",
        BATCH,
        413,
    ),
    Case("body over 1 MiB", b'{"a":"' + b"x" * 1024 * 1024 + b'"}', "TOO_LARGE", "body", status=413),
    Case("whitespace over 1 MiB", b" " * (1024 * 1024 + 1), "TOO_LARGE", "body", status=413),
    Case("batch body over 5 MiB", b" " * (5 * 1024 * 1024 + 1), "TOO_LARGE", "body", BATCH, 413),
]

_ORGANISATIONS = (
    "../acme-corp",
    "acme-corp/../other",
    "acme-corp/2026",
    "acme-corp#OUTBOX",
    "_ORGS",
    "_ledger",
    "ACME-CORP",
    "Acme-corp",
    "acme_corp",
    "acme.corp",
    "acme corp",
    "acme-corp\n",
    "acme-corp\u0000",
    "аcme-corp",  # Cyrillic а
    "acme‐corp",  # U+2010 hyphen
    "ａcme-corp",  # full-width a
    "acme-corp٣",  # Arabic-Indic digit
    "-acme",
    "a",
    "",
    "a" * 64,
    "%2e%2e",
)
MALFORMED_ORG = [
    Case(f"org_id {name[:20]!a}", {"org_id": name, **EVENT}, "INVALID_FIELD", "org_id") for name in _ORGANISATIONS
] + [
    Case(f"org_id = {json.dumps(value)}", {"org_id": value, **EVENT}, "INVALID_FIELD", "org_id")
    for value in (7, None, [])
]

SIGNATURE = [
    Case("no signature", {**EVENT, "signature": ...}, "MISSING_FIELD", "signature"),
    Case("signature of another type", {**EVENT, "signature": 7}, "INVALID_FIELD", "signature"),
    Case("signature null", {**EVENT, "signature": None}, "INVALID_FIELD", "signature"),
    Case("signature too long", {**EVENT, "signature": "0" * 257}, "INVALID_FIELD", "signature"),
    Case("signature empty", {**EVENT, "signature": ""}, "UNAUTHENTICATED", "signature", status=401),
    Case("signature not hex", {**EVENT, "signature": "é" * 64}, "UNAUTHENTICATED", "signature", status=401),
    Case("signature wrong", {**EVENT, "signature": "0" * 64}, "UNAUTHENTICATED", "signature", status=401),
]
