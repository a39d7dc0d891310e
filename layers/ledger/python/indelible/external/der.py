# SPDX-License-Identifier: Apache-2.0
"""As much of DER (X.690) as it takes to put the certificates of a timestamp token in order.

CMS says that they are a SET OF, which DER sorts. OpenSSL's `ts -reply`, and authorities that are built on it, send
them in the order signer, issuer, root; the parser that we use refuses that. No signature covers the order.
"""

from __future__ import annotations

_SEQUENCE, _CONTEXT_0 = 0x30, 0xA0


def sorted_certificates(response: bytes) -> bytes:
    """The TimeStampResp with `SignedData.certificates` in DER's order; the same bytes where there is nothing to sort.

    Bytes that are not a TimeStampResp are handed back as they are: whoever parses them says what is wrong.
    """
    try:
        start, end = _certificates(response)
        elements = list(_elements(response, start, end))
    except (IndexError, ValueError):
        return response
    return response[:start] + b"".join(sorted(elements)) + response[end:]


def _certificates(response: bytes) -> tuple[int, int]:
    """Where the content of `certificates` begins and ends."""
    start, end = _inside(response, 0, _SEQUENCE)  # TimeStampResp
    token = _after(response, start)  # past the status
    start, end = _inside(response, token, _SEQUENCE)  # ContentInfo
    start, end = _inside(response, _after(response, start), _CONTEXT_0)  # past the content's type
    start, end = _inside(response, start, _SEQUENCE)  # SignedData
    for _ in range(3):  # version, digestAlgorithms, encapContentInfo
        start = _after(response, start)
    if start >= end:
        raise ValueError("no certificates")
    return _inside(response, start, _CONTEXT_0)


def _elements(data: bytes, start: int, end: int) -> list[bytes]:
    found = []
    while start < end:
        following = _after(data, start)
        if following > end:
            raise ValueError("an element is longer than what it is in")
        found.append(data[start:following])
        start = following
    return found


def _inside(data: bytes, at: int, tag: int) -> tuple[int, int]:
    """Where the content of the element at this place begins and ends."""
    if data[at] != tag:
        raise ValueError("another element")
    length, start = data[at + 1], at + 2
    if length & 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4:
            raise ValueError("not a length of DER")
        length, start = int.from_bytes(data[start : start + octets], "big"), start + octets
    if start + length > len(data):
        raise ValueError("cut short")
    return start, start + length


def _after(data: bytes, at: int) -> int:
    return _inside(data, at, data[at])[1]
