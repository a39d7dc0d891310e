# SPDX-License-Identifier: Apache-2.0
"""Just enough DER (X.690) to sort the certificates of a timestamp token.

In CMS they are a SET OF, whose elements DER sorts. OpenSSL's `ts -reply`, and authorities built on it, send them in the
order signer, issuer, root, which `rfc3161_client` refuses to parse. No signature covers the order.
"""

from __future__ import annotations

_SEQUENCE, _CONTEXT_0 = 0x30, 0xA0


def sort_certificates(response: bytes) -> bytes:
    """The TimeStampResp (RFC 3161 §2.4.2) with `SignedData.certificates` in DER's order.

    Bytes that are not a TimeStampResp, or have no certificates, are returned unchanged: parsing them reports the error.
    """
    try:
        start, end = _certificates(response)
        elements = list(_elements(response, start, end))
    except (IndexError, ValueError):
        return response
    return response[:start] + b"".join(sorted(elements)) + response[end:]


def _certificates(response: bytes) -> tuple[int, int]:
    """Start and end of the content of `SignedData.certificates`."""
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
    elements = []
    while start < end:
        following = _after(data, start)
        if following > end:
            raise ValueError("an element is longer than its container")
        elements.append(data[start:following])
        start = following
    return elements


def _inside(data: bytes, at: int, tag: int) -> tuple[int, int]:
    """Start and end of the content of the element at an offset. Raises ValueError if its tag is another."""
    if data[at] != tag:
        raise ValueError("unexpected tag")
    length, start = data[at + 1], at + 2
    if length & 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4:
            raise ValueError("not a DER length of at most four bytes")
        length, start = int.from_bytes(data[start : start + octets], "big"), start + octets
    if start + length > len(data):
        raise ValueError("truncated")
    return start, start + length


def _after(data: bytes, at: int) -> int:
    """The offset after the element at an offset."""
    return _inside(data, at, data[at])[1]
