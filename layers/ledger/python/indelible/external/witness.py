# SPDX-License-Identifier: Apache-2.0
"""The Witness port over HTTP (c2sp.org/tlog-witness)."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence

from indelible.domain import note as notes
from indelible.domain.checkpoint import MAX_SIZE
from indelible.domain.merkle import Hash
from indelible.domain.note import Note, NoteError, Signature, VerifierKey
from indelible.external.http import Answer, Http
from indelible.ports.external import BadAnswer, OtherSize, OtherTree, Refused

_SIZE_TYPE = "text/x.tlog.size"
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")
_MAX_BYTES = 16 * 1024


class WitnessServer:
    """One witness. `/add-checkpoint` is appended to `url`."""

    def __init__(self, *, key: VerifierKey, url: str, http: Http) -> None:
        self.key = key
        self._url = url.rstrip("/")
        self._http = http

    def cosign(self, checkpoint: Note, *, old: int, proof: Sequence[Hash]) -> Signature:
        """POST /add-checkpoint. See the port."""
        hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in proof)
        body = f"old {old}\n{hashes}\n".encode() + checkpoint.data
        answer = self._http.post(
            f"{self._url}/add-checkpoint",
            body,
            content_type="text/plain; charset=utf-8",
            accept=f"text/plain, {_SIZE_TYPE}",
            max_bytes=_MAX_BYTES,
        )
        if answer.status == 200:
            return self._verified(checkpoint, answer.body)
        if answer.status == 409:
            raise _conflict(answer)
        if answer.status == 422:
            raise OtherTree("the checkpoint does not continue the tree that the witness holds")
        raise Refused(f"HTTP {answer.status}")

    def _verified(self, checkpoint: Note, lines: bytes) -> Signature:
        """The witness's own cosignature of exactly this checkpoint; lines of other signers are ignored."""
        try:
            cosigned = Note(checkpoint.text, notes.parse_signatures(lines.decode()))
            return notes.verify(cosigned, [self.key])[self.key]
        except (NoteError, UnicodeDecodeError) as error:
            raise BadAnswer(f"no cosignature of the configured key: {error}") from None


def _conflict(answer: Answer) -> Exception:
    """What HTTP 409 means: the witness holds the size in the body; without one, another root for the same size."""
    if answer.content_type.partition(";")[0].strip() != _SIZE_TYPE:
        return OtherTree("the witness holds another root for this size")
    size = _SIZE.fullmatch(answer.body)
    if size is None or int(size[1]) > MAX_SIZE:
        return BadAnswer("a conflict without the size that the witness holds")
    return OtherSize(int(size[1]))
