# SPDX-License-Identifier: Apache-2.0
"""Read and verify RFC 3161 timestamp responses.

Invariant: a time is returned only for a token over exactly the given data.
"""

from __future__ import annotations

import hashlib
from datetime import UTC

from cryptography import x509
from rfc3161_client import TimeStampResponse, VerificationError, VerifierBuilder, decode_timestamp_response

from indelible.domain import instants
from indelible.external.der import sort_certificates

MAX_RESPONSE_BYTES = 64 * 1024
_GRANTED = 0
_HASHES = {
    "2.16.840.1.101.3.4.2.1": hashlib.sha256,
    "2.16.840.1.101.3.4.2.2": hashlib.sha384,
    "2.16.840.1.101.3.4.2.3": hashlib.sha512,
}


class TimestampInvalid(ValueError):
    """The response is not a timestamp of this data, or not signed under a trusted root."""


class NotGranted(TimestampInvalid):
    """The authority rejected the request."""


def read_timestamp_token(response_der: bytes, data: bytes, *, nonce: int | None = None) -> int:
    """`genTime` of a granted response for exactly this data, in milliseconds since 1970. The signature is not checked.

    `nonce` is that of the request, if known (RFC 3161 §2.4.2). Raises TimestampInvalid.
    """
    return _gen_time_ms(_read(response_der, data, nonce=nonce))


def verify_timestamp_token(response_der: bytes, data: bytes, roots_pem: bytes) -> int:
    """`genTime` in milliseconds since 1970, of a token for exactly this data, signed under one of these roots.

    Intermediate certificates are taken from the token or from `roots_pem`. Certificates must have been valid at
    `genTime`, not now. Raises TimestampInvalid.
    """
    try:
        roots = x509.load_pem_x509_certificates(roots_pem)
    except ValueError:
        raise TimestampInvalid("the roots are not PEM certificates") from None
    response = _read(response_der, data)
    try:
        VerifierBuilder(roots=roots).build().verify_message(response, data)
    except (VerificationError, ValueError) as error:
        raise TimestampInvalid(f"the token's signature does not verify: {error}") from None
    return _gen_time_ms(response)


def _read(response_der: bytes, data: bytes, *, nonce: int | None = None) -> TimeStampResponse:
    if len(response_der) > MAX_RESPONSE_BYTES:
        raise TimestampInvalid(f"a response has at most {MAX_RESPONSE_BYTES} bytes")
    try:
        response = decode_timestamp_response(sort_certificates(response_der))
        if response.status != _GRANTED:
            raise NotGranted(f"the authority did not grant it (PKIStatus {response.status})")
        token = response.tst_info
        imprint = token.message_imprint
        if nonce is not None and token.nonce != nonce:
            raise TimestampInvalid("the token has another nonce than the request")
    except TimestampInvalid:
        raise
    except ValueError as error:
        raise TimestampInvalid(f"not an RFC 3161 response: {error}") from None
    algorithm = _HASHES.get(imprint.hash_algorithm.dotted_string)
    if algorithm is None:
        raise TimestampInvalid("the token's imprint is neither SHA-256, SHA-384 nor SHA-512")
    if imprint.message != algorithm(data).digest():
        raise TimestampInvalid("the token is for other data")
    return response


def _gen_time_ms(response: TimeStampResponse) -> int:
    return instants.from_datetime(response.tst_info.gen_time.astimezone(UTC))
