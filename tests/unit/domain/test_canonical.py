# SPDX-License-Identifier: Apache-2.0
"""Strict parsing, one refusal at a time, and the known answers of RFC 8785."""

from __future__ import annotations

import json
import struct
import time

import pytest

from indelible.domain import canonical
from indelible.errors import (
    DuplicateKey,
    InvalidJson,
    InvalidNumber,
    InvalidRequest,
    InvalidString,
    NestingTooDeep,
)

# RFC 8785 Appendix B: the bits of an IEEE 754 double, and its serialization.
APPENDIX_B = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("4340000000000000", None),  # 9007199254740992: beyond what is let through here
    ("433fffffffffffff", "9007199254740991"),
    ("44b52d02c7e14af5", None),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("3e7ad7f29abcaf48", "1e-7"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]


@pytest.mark.parametrize(("bits", "text"), APPENDIX_B)
def test_numbers_of_rfc_8785_appendix_b(bits: str, text: str | None) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    sent = json.dumps({"n": number}).encode()

    if text is None:
        with pytest.raises(InvalidNumber):
            canonical.parse(sent)
    else:
        assert canonical.canonical_bytes(canonical.parse(sent)) == b'{"n":%b}' % text.encode()


def test_the_example_of_rfc_8785_section_3_2() -> None:
    sent = rb"""
      {"numbers": [333333333.33333329, 1E3, 4.50, 2e-3, 0.000000000000000000000000001],
       "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
       "literals": [null, true, false]}"""
    # The RFC's own bytes, but for 1e30, which is refused here: 1E3 stands in its place.
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1000,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )

    assert canonical.canonical_bytes(canonical.parse(sent)) == expected.encode()


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b" ",
        b"{",
        b"{}{}",
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":01}',
        b'{"a":.5}',
        b'{"a":+1}',
        b'{"a":"\n"}',
        b'{"a":"\\x"}',
        b"\xef\xbb\xbf{}",
        b'{"a":"\xff"}',
        '{"a":1}'.encode("utf-16"),
        b"[]",
        b"1",
        b'"text"',
        b"null",
        b"NaN",
    ],
)
def test_what_is_no_json_object_is_refused(sent: bytes) -> None:
    with pytest.raises(InvalidRequest) as refused:
        canonical.parse(sent)

    assert isinstance(refused.value, (InvalidJson, InvalidNumber))
    assert refused.value.field == "body"


@pytest.mark.parametrize(
    ("sent", "error", "field"),
    [
        (b'{"a":1,"a":1}', DuplicateKey, "a"),
        (b'{"payload":{"b":[{"c":1,"d":2,"c":3}]}}', DuplicateKey, "payload.b[0].c"),
        (b'{"a":1,"\\u0061":2}', DuplicateKey, "a"),
        (b'{"a":NaN}', InvalidNumber, "a"),
        (b'{"a":[0,-Infinity]}', InvalidNumber, "a[1]"),
        (b'{"a":Infinity}', InvalidNumber, "a"),
        (b'{"a":1e400}', InvalidNumber, "a"),
        (b'{"a":9007199254740992}', InvalidNumber, "a"),
        (b'{"a":-9007199254740992}', InvalidNumber, "a"),
        (b'{"a":9007199254740992.0}', InvalidNumber, "a"),
        (b'{"a":9007199254740991.5}', InvalidNumber, "a"),
        (b'{"a":1e16}', InvalidNumber, "a"),
        (b'{"a":' + b"9" * 100_000 + b"}", InvalidNumber, "a"),
        (b'{"a":"\\ud800"}', InvalidString, "a"),
        (b'{"a":{"b":"\\udc00\\ud800"}}', InvalidString, "a.b"),
        (b'{"a":{"\\ud83d":1}}', InvalidString, "a"),
        (b'{"a":' * 32 + b"{}" + b"}" * 32, NestingTooDeep, ".".join("a" * 32)),
        (b'{"a":' + b"[" * 32 + b"]" * 32 + b"}", NestingTooDeep, "a" + "[0]" * 31),
        (b'{"a":' * 200 + b"1" + b"}" * 200, NestingTooDeep, ".".join("a" * 32)),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, NestingTooDeep, "body"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", NestingTooDeep, "body"),
    ],
    ids=lambda value: value.decode()[:24] if isinstance(value, bytes) else None,
)
def test_each_refusal_has_its_class_and_names_the_place(sent: bytes, error: type[Exception], field: str) -> None:
    with pytest.raises(error) as refused:
        canonical.parse(sent)

    assert refused.value.field == field  # type: ignore[attr-defined]
    assert refused.value.status == 400  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        (b'{"a":9007199254740991}', {"a": 2**53 - 1}),
        (b'{"a":-9007199254740991}', {"a": -(2**53) + 1}),
        (b'{"a":9007199254740991.0}', {"a": 2**53 - 1}),
        (b'{"a":-0}', {"a": 0}),
        (b'{"a":"\\ud83d\\ude00"}', {"a": "😀"}),
        (b'{"a":"\\u0000"}', {"a": "\0"}),
        (b'{"":{"":1}}', {"": {"": 1}}),
        (b'{"a":1,"A":1}', {"a": 1, "A": 1}),
        (b' \n{"a" : true}\t', {"a": True}),
        (b'{"a":' * 31 + b"{}" + b"}" * 31, None),
        (b'{"a":' + b"[" * 31 + b"]" * 31 + b"}", None),
    ],
    ids=lambda value: value.decode()[:24] if isinstance(value, bytes) else "",
)
def test_what_is_just_within_the_limits_is_taken(sent: bytes, value: object) -> None:
    parsed = canonical.parse(sent)

    assert value is None or parsed == value
    assert canonical.canonical_bytes(parsed)


def test_a_million_digits_are_refused_at_once() -> None:
    began = time.process_time()

    with pytest.raises(InvalidNumber):
        canonical.parse(b'{"a":' + b"7" * 1_000_000 + b"}")

    assert time.process_time() - began < 1


def test_pointers_escape_as_rfc_6901_says() -> None:
    path = ((((None, "a/b"), "m~n"), 3), "")

    assert canonical.pointer(path) == "/a~1b/m~0n/3/"
    assert canonical.pointer(None) == ""
    assert canonical.dotted(path) == "a/b.m~n[3]."
    assert canonical.dotted(None) == "body"
