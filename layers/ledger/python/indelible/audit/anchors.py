# SPDX-License-Identifier: Apache-2.0
"""External anchors: which providers the auditor trusts, and whether a stored anchor verifies under that trust.

Invariant: an anchor counts only if the auditor named its provider. Every other one is reported as not checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from indelible.audit.keys import text_of
from indelible.audit.source import NotEvidence, Source
from indelible.domain import instants
from indelible.domain import note as notes
from indelible.domain.anchors import AnchorFile
from indelible.domain.note import Note, NotSigned, VerifierKey
from indelible.services.log import LEDGER

_HEADER = re.compile(r"[0-9]{1,10}:[0-9a-fA-F]{160}", re.ASCII)
KINDS = {"cosignature": "witness", "token": "timestamp", "pending": "opentimestamps", "bitcoin": "opentimestamps"}


@dataclass(frozen=True, slots=True)
class Trust:
    """The providers that the auditor trusts. `quorum` of the `witnesses` must have signed; None: all of them.

    `tsa_roots` are PEM certificates, `headers` Bitcoin block headers (80 bytes) by height. `completed` are
    OpenTimestamps proofs that replace the pending ones under these paths.
    """

    witnesses: tuple[VerifierKey, ...] = ()
    quorum: int | None = None
    tsa_roots: bytes = b""
    headers: Mapping[int, bytes] = field(default_factory=dict)
    completed: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def needed(self) -> int:
        """How many witnesses must have signed."""
        return len(self.witnesses) if self.quorum is None else self.quorum


@dataclass(frozen=True, slots=True)
class ExternalAnchor:
    """An anchor of the ledger's checkpoint of `size`; `checked` only if its provider is trusted and it verifies.

    `covers` is the last sequence of the organisation's chain that it vouches for.
    """

    kind: str
    name: str
    size: int
    checked: bool
    words: str
    time: str | None = None
    covers: int = 0


def trusted(
    *,
    witnesses: Sequence[str] = (),
    quorum: int | None = None,
    tsa_roots: Sequence[Path] = (),
    headers_file: Path | None = None,
    headers: Sequence[str] = (),
) -> Trust:
    """Parse what was given on the command line. Raises NotEvidence."""
    try:
        keys = tuple(dict.fromkeys(notes.parse_verifier_key(text_of("--witness", given)) for given in witnesses))
    except ValueError as error:
        raise NotEvidence(f"--witness: {error}") from None
    if any(key.kind != notes.COSIGNATURE for key in keys):
        raise NotEvidence("--witness: a witness's key is of kind 4 (cosignature/v1)")
    if len({key.public_key for key in keys}) < len(keys):  # what is signed does not have the name: one line fits both
        raise NotEvidence("--witness: one key is given under two names, and it counts once")
    if quorum is not None and quorum > len(keys):
        raise NotEvidence(f"--quorum {quorum}, but --witness names {len(keys)}, each counted once")
    return Trust(keys, quorum, b"\n".join(map(_roots, tsa_roots)), _headers(headers_file, headers))


class AnchorChecks:
    """Verifies the files of anchors with the keys, roots and headers that the auditor trusts."""

    def __init__(self, source: Source, trust: Trust) -> None:
        self._source = source
        self._trust = trust

    def check(self, size: int, file: AnchorFile, note: Note) -> list[ExternalAnchor]:
        """The anchors in a file about the ledger's checkpoint of this size. The signature of `note` is verified."""
        data = self._trust.completed.get(file.path(size)) or self._source.read(LEDGER, file.path(size))
        said: list[ExternalAnchor] = []
        if data is None:
            return said
        try:
            said.extend(self._check_file(size, file, data, note))
        except (ValueError, OverflowError) as error:
            # An attacker with write access can put junk here; it says nothing about the records.
            words = f"what {file.name} is said to have given about checkpoint {size:,} is not true: {error}"
            said.append(ExternalAnchor(KINDS[file.kind], file.name, size, False, words))
        return said

    def _check_file(self, size: int, file: AnchorFile, data: bytes, note: Note) -> Iterator[ExternalAnchor]:
        """Raises ValueError, or OverflowError, for a file that does not verify."""
        if file.kind == "cosignature":
            yield from self._check_cosignature(size, file, data, note)
        elif file.kind == "token":
            yield self._check_token(size, file, data, note.data)
        else:
            yield self._check_ots(size, file, data, note.data)

    def _check_cosignature(self, size: int, file: AnchorFile, data: bytes, note: Note) -> Iterator[ExternalAnchor]:
        cosigned = note.with_signatures(notes.parse_signatures(data.decode()))
        try:
            verified = notes.verify(cosigned, self._trust.witnesses)
        except NotSigned:
            yield ExternalAnchor(
                KINDS[file.kind], file.name, size, False, "a cosignature by nobody whom --witness names"
            )
            return
        for key, line in verified.items():
            time = instants.to_text(notes.cosigned_at(line) * 1000)
            words = f"{key.name} has seen the ledger's log of size {size:,} at {time}"
            yield ExternalAnchor(KINDS[file.kind], str(key), size, True, words, time)

    def _check_token(self, size: int, file: AnchorFile, data: bytes, published: bytes) -> ExternalAnchor:
        from indelible.external.verify_timestamp import read_timestamp_token, verify_timestamp_token

        if not self._trust.tsa_roots:
            time = instants.to_text(read_timestamp_token(data, published))
            words = f"{file.name} says {time}; whether it signed that was not checked, for want of --tsa-root"
            return ExternalAnchor(KINDS[file.kind], file.name, size, False, words, time)
        time = instants.to_text(verify_timestamp_token(data, published, self._trust.tsa_roots))
        words = f"{file.name} signed the ledger's checkpoint {size:,} at {time}"
        return ExternalAnchor(KINDS[file.kind], file.name, size, True, words, time)

    def _check_ots(self, size: int, file: AnchorFile, data: bytes, published: bytes) -> ExternalAnchor:
        from indelible.external.verify_ots import check_bitcoin_header, read_ots

        attestation = read_ots(data, sha256(published).digest())
        if attestation is None:
            words = f"{file.name} has promised a proof for the ledger's checkpoint {size:,}; indelible upgrade-ots asks"
            return ExternalAnchor(KINDS[file.kind], file.name, size, False, words)
        header = self._trust.headers.get(attestation.height)
        if header is None:
            words = f"leads to Bitcoin block {attestation.height:,}, whose header was not given (--bitcoin-headers)"
            return ExternalAnchor(KINDS[file.kind], file.name, size, False, words)
        time = instants.to_text(check_bitcoin_header(header, attestation))
        words = f"the ledger's checkpoint {size:,} is in Bitcoin block {attestation.height:,} of {time}"
        return ExternalAnchor(KINDS[file.kind], file.name, size, True, words, time)


def _roots(path: Path) -> bytes:
    from cryptography.x509 import load_pem_x509_certificates

    data = path.read_bytes()
    try:
        load_pem_x509_certificates(data)
    except ValueError:
        raise NotEvidence(f"--tsa-root {path}: no certificate in PEM") from None
    return data


def _headers(file: Path | None, given: Sequence[str]) -> Mapping[int, bytes]:
    if file is None and not given:
        return {}
    from indelible.external.verify_ots import read_bitcoin_headers

    found: dict[int, bytes] = {}
    try:
        if file is not None:
            found |= read_bitcoin_headers(file.read_text(encoding="utf-8", errors="replace"))
    except ValueError as error:
        raise NotEvidence(f"--bitcoin-headers {file}: {error}") from None
    if file is not None and not found:
        raise NotEvidence(f"--bitcoin-headers {file}: there is no block header in it")
    for one in given:
        height = read_bitcoin_headers(one.replace(":", " ", 1)) if _HEADER.fullmatch(one) else None
        if height is None:
            raise NotEvidence(f"--bitcoin-header {one[:40]}: say HEIGHT:HEX, with 160 hex digits")
        found |= height
    return found
