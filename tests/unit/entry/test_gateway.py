# SPDX-License-Identifier: Apache-2.0
"""Whatever API Gateway could put into an event as a body is bytes, or a refusal with a code."""

from __future__ import annotations

import pytest

from indelible.entry import gateway
from indelible.errors import InvalidJson, TooLarge


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ({}, b""),
        ({"body": None}, b""),
        ({"body": "\u00fc", "isBase64Encoded": False}, b"\xc3\xbc"),
        ({"body": "/w==", "isBase64Encoded": True}, b"\xff"),
    ],
)
def test_the_bytes_of_a_body(event: dict[str, object], data: bytes) -> None:
    assert gateway.body(event) == data


@pytest.mark.parametrize(
    ("body", "encoded"),
    [("\ud800", False), ("e30", True), ("{}", True), ("\u00fc", True)],
    ids=["lone surrogate", "no padding", "not Base64", "not ASCII"],
)
def test_a_body_that_cannot_be_decoded(body: str, *, encoded: bool) -> None:
    with pytest.raises(InvalidJson) as caught:
        gateway.body({"body": body, "isBase64Encoded": encoded})
    assert caught.value.field == "body"


def test_the_limit_is_in_decoded_bytes() -> None:
    assert gateway.body({"body": "\u00fc\u00fc"}, limit=4) == b"\xc3\xbc\xc3\xbc"
    with pytest.raises(TooLarge):
        gateway.body({"body": "\u00fc\u00fc"}, limit=3)
