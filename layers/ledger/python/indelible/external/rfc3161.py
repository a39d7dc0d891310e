# SPDX-License-Identifier: Apache-2.0
"""The TimestampAuthority port over HTTP (RFC 3161 §3.4)."""

from __future__ import annotations

from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from indelible.external.http import Http
from indelible.external.verify_timestamp import MAX_RESPONSE_BYTES, NotGranted, TimestampInvalid, read_timestamp_token
from indelible.ports.external import BadAnswer, Refused

_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"


class TimestampServer:
    """One authority. Requests hash with SHA-256, carry a nonce and ask for the authority's certificate."""

    def __init__(self, *, name: str, url: str, http: Http) -> None:
        self.name = name
        self._url = url
        self._http = http

    def stamp(self, data: bytes) -> bytes:
        """POST the request. Returns the response (DER) if it is granted and for this data's hash and our nonce.

        The signature is not verified: which roots to trust is for the verifier to say.
        """
        query = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
        answer = self._http.post(
            self._url, query.as_bytes(), content_type=_QUERY, accept=_REPLY, max_bytes=MAX_RESPONSE_BYTES
        )
        if answer.status != 200:
            raise Refused(f"HTTP {answer.status}")
        try:
            read_timestamp_token(answer.body, data, nonce=query.nonce)
        except NotGranted as error:
            raise Refused(str(error)) from None
        except TimestampInvalid as error:
            raise BadAnswer(str(error)) from None
        return answer.body
