# SPDX-License-Identifier: Apache-2.0
"""What others vouch for: from an organisation's checkpoint up to the ledger's own log, and who outside has seen that.

Invariant: a word of somebody outside counts only where the auditor has said whom he trusts, and only for a ledger
checkpoint that covers the organisation's, proven down to it. What nobody was trusted for is told as not checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from indelible.audit.climb import Climbed
from indelible.audit.source import NotEvidence, Source
from indelible.domain import instants, merkle, tiles
from indelible.domain import note as notes
from indelible.domain.anchors import DIRECTORY, AnchorFile, parse_anchor_path
from indelible.domain.findings import Failure, FailureCode
from indelible.domain.ledger import leaf_data
from indelible.domain.note import BadSignature, Note, NotSigned, VerifierKey
from indelible.errors import EvidenceBroken
from indelible.services.log import LEDGER, LogReader, checkpoint_path

_HEADER = re.compile(r"[0-9]{1,10}:[0-9a-fA-F]{160}", re.ASCII)
_KINDS = {"cosignature": "witness", "token": "timestamp", "pending": "opentimestamps", "bitcoin": "opentimestamps"}


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom the auditor believes. `quorum` of the `witnesses` must have signed; all of them where it is None.

    `completed` are OpenTimestamps proofs that stand in for the pending ones under these paths.
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
class Outside:
    """What somebody said of the ledger's checkpoint of `size`; `checked` only if he was trusted and it is true.

    `covers` is how far the organisation's chain lies under it: up to this sequence.
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
    """From what was given on the command line. Raises NotEvidence."""
    try:
        keys = tuple(dict.fromkeys(notes.parse_verifier_key(text) for text in witnesses))
    except ValueError as error:
        raise NotEvidence(f"--witness: {error}") from None
    if any(key.kind != notes.COSIGNATURE for key in keys):
        raise NotEvidence("--witness: a witness's key is of kind 4 (cosignature/v1)")
    if len({key.public_key for key in keys}) < len(keys):  # what is signed does not have the name: one line fits both
        raise NotEvidence("--witness: one key is given under two names, and it counts once")
    if quorum is not None and quorum > len(keys):
        raise NotEvidence(f"--quorum {quorum}, but --witness names {len(keys)}, each counted once")
    return Trust(keys, quorum, b"\n".join(map(_roots, tsa_roots)), _headers(headers_file, headers))


class Upwards:
    """One look from the ledger's own log to whoever is outside. Failures are handed to `report`."""

    def __init__(self, source: Source, log: LogReader, trust: Trust, report: Callable[[Failure], None]) -> None:
        self._source = source
        self._log = log
        self._trust = trust
        self._report = report

    def look(self, top: Climbed) -> list[Outside]:
        """What there is about a checkpoint that the ledger's own log has covered."""
        size, index, covering = top.size, top.proof.index, top.covering.size
        words = f"checkpoint {size:,} is leaf {index:,} of the ledger's own log of size {covering:,}"
        above = [Outside("ledger log", self._log.origin(LEDGER), covering, True, words)]
        for anchored, files in self._anchored(covering).items():
            text = self._covers(anchored, covering, index, top.note, size)
            if text is not None:
                above += self._of(anchored, files, text)
        return [replace(said, covers=size) for said in above]

    def _anchored(self, at_least: int) -> dict[int, list[AnchorFile]]:
        """Files about ledger checkpoints that cover the leaf, by size."""
        found: dict[int, list[AnchorFile]] = {}
        for name in self._source.names(LEDGER, DIRECTORY):
            parsed = parse_anchor_path(name)
            if parsed is not None and parsed[0] >= at_least:
                found.setdefault(parsed[0], []).append(parsed[1])
        return found

    def _covers(self, size: int, proven: int, index: int, leaf: Note, of: int) -> Note | None:
        """The ledger's checkpoint of this size, once it is seen to hold the leaf; None where that cannot be seen."""
        try:
            signed = self._log.opened(LEDGER, size)
            if size != proven:
                path = merkle.inclusion_proof(index, size, tiles.node_reader(size, self._log.reader(LEDGER)))
                merkle.verify_inclusion(merkle.leaf_hash(leaf_data(leaf)), index, size, path, signed.checkpoint.root)
        except merkle.ProofInvalid as error:
            detail = f"the ledger's checkpoint of size {size} does not hold what an earlier one held: {error}"
            self._fail(FailureCode.CHECKPOINT_MISMATCH, of, checkpoint_path(size), detail)
            return None
        except (BadSignature, NotSigned) as error:
            self._fail(FailureCode.BAD_SIGNATURE, of, checkpoint_path(size), f"the ledger's checkpoint {size}: {error}")
            return None
        except (ValueError, EvidenceBroken):
            return None  # the source does not have what it takes, as a bundle of a small range may not
        return signed.note

    def _of(self, size: int, files: Sequence[AnchorFile], note: Note) -> Iterator[Outside]:
        # What others saw are the bytes as they were published: the first version, with the ledger's signature alone.
        published = self._source.read(LEDGER, checkpoint_path(size)) or note.data
        for file in files:
            data = self._trust.completed.get(file.path(size)) or self._source.read(LEDGER, file.path(size))
            if data is None:
                continue
            try:
                yield from self._judged(size, file, data, published, note)
            except (ValueError, OverflowError) as error:
                # Anybody past the bucket's policy can put junk here; it says nothing of the records.
                words = f"what {file.name} is said to have given about checkpoint {size:,} is not true: {error}"
                yield Outside(_KINDS[file.kind], file.name, size, False, words)

    def _judged(self, size: int, file: AnchorFile, data: bytes, published: bytes, note: Note) -> Iterator[Outside]:
        """Raises ValueError for what is not true."""
        if file.kind == "cosignature":
            yield from self._cosigned(size, file, data, note)
        elif file.kind == "token":
            yield self._stamped(size, file, data, published)
        else:
            yield self._in_bitcoin(size, file, data, published)

    def _cosigned(self, size: int, file: AnchorFile, data: bytes, note: Note) -> Iterator[Outside]:
        cosigned = note.with_signatures(notes.parse_signatures(data.decode()))
        try:
            verified = notes.verify(cosigned, self._trust.witnesses)
        except NotSigned:
            yield Outside(_KINDS[file.kind], file.name, size, False, "a cosignature by nobody whom --witness names")
            return
        for key, line in verified.items():
            time = instants.to_text(notes.cosigned_at(line) * 1000)
            words = f"{key.name} has seen the ledger's log of size {size:,} at {time}"
            yield Outside(_KINDS[file.kind], str(key), size, True, words, time)

    def _stamped(self, size: int, file: AnchorFile, data: bytes, published: bytes) -> Outside:
        from indelible.outside.verify_timestamp import read_timestamp_token, verify_timestamp_token

        if not self._trust.tsa_roots:
            time = instants.to_text(read_timestamp_token(data, published))
            words = f"{file.name} says {time}; whether it signed that was not checked, for want of --tsa-root"
            return Outside(_KINDS[file.kind], file.name, size, False, words, time)
        time = instants.to_text(verify_timestamp_token(data, published, self._trust.tsa_roots))
        words = f"{file.name} signed the ledger's checkpoint {size:,} at {time}"
        return Outside(_KINDS[file.kind], file.name, size, True, words, time)

    def _in_bitcoin(self, size: int, file: AnchorFile, data: bytes, published: bytes) -> Outside:
        from indelible.outside.verify_ots import check_bitcoin_header, read_ots

        attestation = read_ots(data, sha256(published).digest())
        if attestation is None:
            words = f"{file.name} has promised a proof for the ledger's checkpoint {size:,}; indelible upgrade-ots asks"
            return Outside(_KINDS[file.kind], file.name, size, False, words)
        header = self._trust.headers.get(attestation.height)
        if header is None:
            words = f"leads to Bitcoin block {attestation.height:,}, whose header was not given (--bitcoin-headers)"
            return Outside(_KINDS[file.kind], file.name, size, False, words)
        time = instants.to_text(check_bitcoin_header(header, attestation))
        words = f"the ledger's checkpoint {size:,} is in Bitcoin block {attestation.height:,} of {time}"
        return Outside(_KINDS[file.kind], file.name, size, True, words, time)

    def _fail(self, code: FailureCode, sequence: int, path: str, detail: str) -> None:
        self._report(Failure(code, sequence, detail, s3_key=path))


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
    from indelible.outside.verify_ots import read_bitcoin_headers

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
