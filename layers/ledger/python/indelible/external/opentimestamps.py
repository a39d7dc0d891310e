# SPDX-License-Identifier: Apache-2.0
"""The Calendar port over HTTP, as OpenTimestamps servers speak it: POST /digest, GET /timestamp/HEX."""

from __future__ import annotations

from opentimestamps.core.timestamp import Timestamp  # type: ignore[import-untyped]

from indelible.external.http import Http
from indelible.external.verify_ots import ProofInvalid, pending_at, read_detached, read_ots, read_stamp, write_detached
from indelible.ports.external import BadAnswer, Refused

_TYPE = "application/vnd.opentimestamps.v1"
_FORM = "application/x-www-form-urlencoded"
"""The Content-Type that OpenTimestamps clients send; servers ignore it."""
_MAX_BYTES = 10_000
"""Of an answer, as in the reference client."""


class CalendarServer:
    """One calendar. Its pending attestations must name `url`: an aggregator, which names others, is refused."""

    def __init__(self, *, name: str, url: str, http: Http) -> None:
        self.name = name
        self._url = url.rstrip("/")
        self._http = http

    def submit(self, digest: bytes) -> bytes:
        """POST /digest. See the port."""
        answer = self._http.post(f"{self._url}/digest", digest, content_type=_FORM, accept=_TYPE, max_bytes=_MAX_BYTES)
        if answer.status != 200:
            raise Refused(f"HTTP {answer.status}")
        try:
            stamp = read_stamp(answer.body, digest)
            proof = write_detached(stamp)
            read_ots(proof, digest)
        except ProofInvalid as error:
            raise BadAnswer(str(error)) from None
        if not self._commitments(stamp):
            # Only configured addresses are contacted, so this proof could never be completed.
            raise BadAnswer("the proof is to be completed at another address; configure that one")
        return proof

    def upgrade(self, proof: bytes, digest: bytes) -> tuple[int, bytes] | None:
        """GET /timestamp/HEX at the configured address, never at one that the proof names. See the port."""
        try:
            stamp = read_detached(proof, digest)
            for commitment in self._commitments(stamp):
                answer = self._http.get(f"{self._url}/timestamp/{commitment.hex()}", accept=_TYPE, max_bytes=_MAX_BYTES)
                if answer.status == 404:
                    continue
                if answer.status != 200:
                    raise Refused(f"HTTP {answer.status}")
                _find(stamp, commitment).merge(read_stamp(answer.body, commitment))
            completed = write_detached(stamp)
            found = read_ots(completed, digest)
        except ProofInvalid as error:
            raise BadAnswer(str(error)) from None
        return None if found is None else (found.height, completed)

    def _commitments(self, stamp: Timestamp) -> list[bytes]:
        """The commitments by which this calendar knows the proof."""
        return [commitment for uri, commitment in pending_at(stamp) if uri.rstrip("/") == self._url]


def _find(stamp: Timestamp, message: bytes) -> Timestamp:
    """The node of a timestamp whose message this is. Raises ProofInvalid."""
    waiting = [stamp]
    while waiting:
        node = waiting.pop()
        if node.msg == message:
            return node
        waiting.extend(node.ops.values())
    raise ProofInvalid("the commitment is not in the proof")
