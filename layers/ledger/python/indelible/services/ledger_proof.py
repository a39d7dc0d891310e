# SPDX-License-Identifier: Apache-2.0
"""Prove an organisation's checkpoint in the ledger's own log, with the external anchors of that log.

Writes nothing. A stored anchor counts when it verifies, and is left out when it does not: junk among the anchors hides
none of them. A checkpoint with external anchors proves more than one without: the proof is given in the first ledger
checkpoint that covers the leaf and has any, if there is one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, islice
from typing import TypeAlias

from indelible.domain import instants
from indelible.domain.anchors import AnchorFile
from indelible.domain.checkpoint import Checkpoint
from indelible.domain.ledger import leaf_data, ledger_proof_path
from indelible.domain.note import Note, NoteError, Signature, VerifierKey, cosigned_at, parse_signatures
from indelible.domain.proof import TlogProof, parse_tlog_proof
from indelible.errors import EvidenceBroken
from indelible.ports import CurrentLogFiles, Workers
from indelible.ports.external import AnchorFiles
from indelible.services.log import LEDGER, LogReader

TokenTime: TypeAlias = Callable[[bytes, bytes], int]
"""An RFC 3161 response and the data that it must be for → its genTime in milliseconds. Raises ValueError."""

_COSIGNATURE_BYTES = 8 + 64
_MOST_FILES = 1000
_MOST_SIZES = 16
_OTS_OF_SHA256 = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94\x01\x08"
"""How a detached OpenTimestamps file of a SHA-256 digest begins; the digest follows."""


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A witness's cosignature. `verified`: the ledger knows the witness's key, and the signature is good."""

    name: str
    cosigned_at_ms: int
    verified: bool


@dataclass(frozen=True, slots=True)
class Stamped:
    """An RFC 3161 response (DER) for the ledger's checkpoint."""

    authority: str
    token: bytes
    gen_time_ms: int


@dataclass(frozen=True, slots=True)
class OpenTimestamp:
    """A detached OpenTimestamps proof; without a height it is not in a Bitcoin block yet."""

    calendar: str
    proof: bytes
    bitcoin_height: int | None


@dataclass(frozen=True, slots=True)
class Anchors:
    """The external anchors of one ledger checkpoint. `witnessed` is None where no quorum is configured."""

    cosignatures: tuple[Signature, ...] = ()
    witnesses: tuple[Cosigned, ...] = ()
    timestamps: tuple[Stamped, ...] = ()
    opentimestamps: tuple[OpenTimestamp, ...] = ()
    witnessed: bool | None = None

    @property
    def anything(self) -> bool:
        """Whether there is any anchor."""
        return bool(self.witnesses or self.timestamps or self.opentimestamps)


@dataclass(frozen=True, slots=True)
class LedgerProof:
    """An organisation's checkpoint in the ledger's log: `leaf` is its SHA-256, `proof` leads to `checkpoint`.

    `published` is the note of that checkpoint as it is in the bucket, whose bytes the timestamps are for; in the proof
    it has the cosignatures below the ledger's own line.
    """

    leaf: bytes
    proof: TlogProof
    checkpoint: Checkpoint
    published: Note
    anchors: Anchors


class LedgerProver:
    """Proves one checkpoint at a time.

    `witnesses` are the keys that the ledger knows; `quorum` is how many of them make a checkpoint witnessed.
    """

    def __init__(
        self,
        *,
        log: LogReader,
        files: CurrentLogFiles,
        anchors: AnchorFiles,
        token_time: TokenTime,
        workers: Workers,
        witnesses: Sequence[VerifierKey] = (),
        quorum: int | None = None,
    ) -> None:
        self._log = log
        self._files = files
        self._anchors = anchors
        self._token_time = token_time
        self._workers = workers
        self._witnesses = {(key.name, key.key_id): key for key in witnesses}
        self._quorum = quorum

    def prove(self, org_id: str, note: Note, *, size: int) -> LedgerProof | None:
        """The proof of this checkpoint of an organisation; None until the ledger's log includes it.

        Raises EvidenceBroken where the file that is stored as its proof does not prove it.
        """
        leaf, path = leaf_data(note), ledger_proof_path(size)
        found: tuple[TlogProof, Checkpoint] | None = None
        with suppress(EvidenceBroken):
            found = self._parse(self._files.current(org_id, path), leaf, size)
        # With one good signature and nothing else, no other bytes verify. Otherwise the first version counts.
        if found is None or found[0].extra or len(found[0].checkpoint.signatures) != 1:
            found = self._parse(self._files.read(org_id, path), leaf, size)
        if found is None:
            return None
        proof, first = found
        for anchored_size, files in self._anchor_files(first.size):
            try:
                later = self._log.proofs(LEDGER, [proof.index], size=anchored_size)[0]
                checkpoint = self._log.verify(LEDGER, later, leaf)
            except EvidenceBroken:
                continue  # a file named after a size that was never published
            anchors = self._anchors_in(later.checkpoint, anchored_size, files)
            if anchors.anything:
                cosigned = replace(later, checkpoint=later.checkpoint.with_signatures(anchors.cosignatures))
                return LedgerProof(leaf, cosigned, checkpoint, later.checkpoint, anchors)
        return LedgerProof(leaf, proof, first, proof.checkpoint, Anchors(witnessed=self._witnessed(())))

    def _parse(self, stored: bytes | None, leaf: bytes, size: int) -> tuple[TlogProof, Checkpoint] | None:
        if stored is None:
            return None
        try:
            proof = parse_tlog_proof(stored)
        except NoteError as error:
            raise EvidenceBroken(f"the place of checkpoint {size} in the ledger's log: {error}") from None
        return proof, self._log.verify(LEDGER, proof, leaf)

    def _anchor_files(self, at_least: int) -> Iterator[tuple[int, list[AnchorFile]]]:
        """The first sizes from this one on for which files are stored, with the files."""
        stored = islice(self._anchors.stored(at_least=at_least), _MOST_FILES)
        for size, found in islice(groupby(stored, key=lambda one: one.size), _MOST_SIZES):
            yield size, [one.file for one in found]

    def _anchors_in(self, note: Note, size: int, files: Sequence[AnchorFile]) -> Anchors:
        cosignatures: list[Signature] = []
        timestamps: list[Stamped] = []
        calendars: dict[str, OpenTimestamp] = {}
        # Of one calendar the last counts: a completed proof before a pending one, and the lowest block of several.
        ordered = sorted(files, key=lambda one: (one.kind == "bitcoin", -(one.height or 0)))
        for file, data in zip(ordered, self._read(size, ordered), strict=True):
            if data is None:
                continue
            if file.kind == "cosignature":
                cosignatures += self._cosignatures(note, data)
            elif file.kind == "token":
                timestamps += self._timestamps(file.name, data, note)
            elif data.startswith(_OTS_OF_SHA256 + hashlib.sha256(note.data).digest()):
                calendars[file.name] = OpenTimestamp(file.name, data, file.height)
        lines = tuple({(line.name, line.key_id): line for line in cosignatures}.values())
        witnesses = tuple(
            Cosigned(line.name, cosigned_at(line) * 1000, verified=(line.name, line.key_id) in self._witnesses)
            for line in lines
        )
        return Anchors(
            cosignatures=lines,
            witnesses=tuple(sorted(witnesses, key=lambda one: one.name)),
            timestamps=tuple(sorted(timestamps, key=lambda one: one.authority)),
            opentimestamps=tuple(calendars[name] for name in sorted(calendars)),
            witnessed=self._witnessed(witnesses),
        )

    def _read(self, size: int, files: Sequence[AnchorFile]) -> Iterator[bytes | None]:
        for data in self._workers.gather([partial(self._files.read, LEDGER, file.path(size)) for file in files]):
            if isinstance(data, Exception):
                raise data
            yield data

    def _cosignatures(self, note: Note, data: bytes) -> Iterator[Signature]:
        """Lines to put below the note: none with the ledger's own name, none that claims a known key falsely."""
        try:
            lines = parse_signatures(data.decode())
        except (UnicodeDecodeError, NoteError):
            return
        for line in lines:
            key = self._witnesses.get((line.name, line.key_id))
            if line.name == self._log.origin(LEDGER) or len(line.signature) != _COSIGNATURE_BYTES:
                continue
            if cosigned_at(line) * 1000 <= instants.MAX_MS and (key is None or key.signed(note.text, line.signature)):
                yield line

    def _timestamps(self, authority: str, data: bytes, note: Note) -> Iterator[Stamped]:
        try:
            yield Stamped(authority, data, self._token_time(data, note.data))
        except ValueError:
            return

    def _witnessed(self, witnesses: Sequence[Cosigned]) -> bool | None:
        return None if self._quorum is None else sum(one.verified for one in witnesses) >= self._quorum
