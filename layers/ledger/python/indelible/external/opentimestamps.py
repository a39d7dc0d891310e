# SPDX-License-Identifier: Apache-2.0
"""Calendar over HTTP, as OpenTimestamps servers speak it: POST /digest, GET /timestamp/HEX."""

from __future__ import annotations

from opentimestamps.core.timestamp import Timestamp  # type: ignore[import-untyped]

from indelible.external.http import Http
from indelible.external.verify_ots import ProofInvalid, detached, pending_at, read_detached, read_ots, read_stamp
from indelible.ports.external import BadAnswer, Refused

_TYPE = "application/vnd.opentimestamps.v1"
_FORM = "application/x-www-form-urlencoded"
"""What OpenTimestamps clients send a digest as; servers do not look."""
_MOST_BYTES = 10_000
"""As in the reference client."""


class CalendarServer:
    """One calendar. `url` is what its promises must name: an aggregator that promises for others is none."""

    def __init__(self, *, name: str, url: str, http: Http) -> None:
        self.name = name
        self._url = url.rstrip("/")
        self._http = http

    def submit(self, digest: bytes) -> bytes:
        """POST /digest."""
        answer = self._http.post(
            f"{self._url}/digest", digest, content_type=_FORM, accept=_TYPE, most_bytes=_MOST_BYTES
        )
        if answer.status != 200:
            raise Refused(f"HTTP {answer.status}")
        try:
            stamp = read_stamp(answer.body, digest)
            proof = detached(stamp)
            read_ots(proof, digest)
        except ProofInvalid as error:
            raise BadAnswer(str(error)) from None
        if not self._promises(stamp):
            # Nobody is contacted whom nobody configured, so this could never be completed.
            raise BadAnswer("it promises to complete the proof at another address; configure that one")
        return proof

    def upgrade(self, proof: bytes, digest: bytes) -> tuple[int, bytes] | None:
        """GET /timestamp/HEX for what the calendar promised; its answer's address is its own, never the proof's."""
        try:
            stamp = read_detached(proof, digest)
            for commitment in self._promises(stamp):
                answer = self._http.get(
                    f"{self._url}/timestamp/{commitment.hex()}", accept=_TYPE, most_bytes=_MOST_BYTES
                )
                if answer.status == 404:
                    continue
                if answer.status != 200:
                    raise Refused(f"HTTP {answer.status}")
                _find(stamp, commitment).merge(read_stamp(answer.body, commitment))
            completed = detached(stamp)
            found = read_ots(completed, digest)
        except ProofInvalid as error:
            raise BadAnswer(str(error)) from None
        return None if found is None else (found.height, completed)

    def _promises(self, stamp: Timestamp) -> list[bytes]:
        """The commitments that this calendar knows the proof by."""
        return [commitment for uri, commitment in pending_at(stamp) if uri.rstrip("/") == self._url]


def _find(stamp: Timestamp, message: bytes) -> Timestamp:
    """The place in a timestamp where the operations have led to this message."""
    waiting = [stamp]
    while waiting:
        found = waiting.pop()
        if found.msg == message:
            return found
        waiting.extend(found.ops.values())
    raise ProofInvalid("the commitment is not in the proof")
