# SPDX-License-Identifier: Apache-2.0
"""Pending OpenTimestamps proofs, and requesting the completed ones from calendars.

Invariant: a calendar is contacted only if the proof names it and the caller allows it. The operator made the proof, and
must not choose which hosts the auditor's machine contacts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from indelible.audit.source import NotEvidence, Source
from indelible.domain.anchors import DIRECTORY, AnchorFile, parse_anchor_path
from indelible.services.log import LEDGER, checkpoint_path

PUBLIC_CALENDARS = (
    "https://alice.btc.calendar.opentimestamps.org",
    "https://bob.btc.calendar.opentimestamps.org",
    "https://finney.calendar.eternitywall.com",
    "https://btc.calendar.catallaxy.com",
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A proof, and the SHA-256 (32 bytes) of what it is for. `path` is where it is in the bucket."""

    path: str
    name: str
    proof: bytes
    digest: bytes

    def completed_path(self, height: int) -> str:
        """Where the completed proof would be in the bucket."""
        return f"{self._stem}.bitcoin-{height}.ots"

    def completed_below(self, directory: Path) -> Path | None:
        """The completed proof below a directory, if it is there already. Raises NotEvidence for a file that is none."""
        from indelible.external.verify_ots import read_ots

        place = directory / self._stem
        for path in sorted(place.parent.glob(f"{escape(place.name)}.bitcoin-*.ots")):
            try:
                found = read_ots(path.read_bytes(), self.digest)
            except ValueError as error:
                raise NotEvidence(f"{path} exists, and is something else: {error}") from None
            if found is None or path.name != Path(self.completed_path(found.height)).name:
                raise NotEvidence(f"{path} exists, and is not what its name says")
            return path
        return None

    @property
    def _stem(self) -> str:
        return self.path.removesuffix(".pending.ots")


def single(path: Path, of: Path) -> Pending:
    """A single proof, for the data in the file `of`. Raises NotEvidence for a proof of something else."""
    from indelible.external.verify_ots import MAX_PROOF_BYTES, read_detached

    with path.open("rb") as file:
        proof = file.read(MAX_PROOF_BYTES + 1)
    with of.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").digest()
    try:
        read_detached(proof, digest)
    except ValueError as error:
        raise NotEvidence(f"{path} is not a proof of {of}: {error}") from None
    name = path.name if path.name.endswith(".pending.ots") else f"{path.name.removesuffix('.ots')}.pending.ots"
    return Pending(name, path.name, proof, digest)


def pending(source: Source) -> Iterator[Pending]:
    """The pending proofs in a source, for ledger checkpoints, without a completed one."""
    found = [parsed for name in source.names(LEDGER, DIRECTORY) if (parsed := parse_anchor_path(name)) is not None]
    complete = {(size, file.name) for size, file in found if file.kind == "bitcoin"}
    for size, file in found:
        if file.kind == "pending" and (size, file.name) not in complete:
            yield from _read(source, size, file)


def proofs(source: Source) -> int:
    """How many OpenTimestamps proofs a source has, pending or not."""
    found = (parse_anchor_path(name) for name in source.names(LEDGER, DIRECTORY))
    return sum(parsed is not None and parsed[1].kind in ("pending", "bitcoin") for parsed in found)


def completed_proofs(directory: Path) -> Mapping[str, bytes]:
    """What `upgrade-ots` wrote for a bundle or a copy, by the paths of the pending proofs. Raises NotEvidence."""
    from indelible.external.verify_ots import MAX_PROOF_BYTES

    found: dict[str, bytes] = {}
    for path in sorted(directory.glob(f"{DIRECTORY}*/*")):
        parsed = parse_anchor_path(path.relative_to(directory).as_posix())
        if parsed is not None and parsed[1].kind == "bitcoin":
            size, file = parsed
            with path.open("rb") as data:
                found[AnchorFile("pending", file.name).path(size)] = data.read(MAX_PROOF_BYTES + 1)
    if found:
        return found
    alone = next(directory.glob("*.bitcoin-*.ots"), None)
    if alone is not None:
        raise NotEvidence(
            f"{alone} was completed by itself (--of), and nothing says which checkpoint it is about: have indelible "
            "upgrade-ots complete the proofs of the bundle or the copy"
        )
    raise NotEvidence(f"{directory} has no completed proofs; indelible upgrade-ots writes them for a bundle or a copy")


def complete(waiting: Pending, allowed: Iterable[str], say: Callable[[str], None]) -> tuple[int, bytes] | None:
    """Block height and completed proof; None where no calendar has it yet, or the proof is not of its checkpoint.

    `say` is called with the reason, a line for each calendar.
    """
    from indelible.external.http import Http
    from indelible.external.opentimestamps import CalendarServer
    from indelible.external.verify_ots import pending_at, read_detached
    from indelible.ports.external import ExternalFailure

    try:
        promised = pending_at(read_detached(waiting.proof, waiting.digest))
    except ValueError as error:
        say(f"{waiting.path}: {error}")
        return None
    if not promised:
        say(f"{waiting.path}: names no calendar")
    may_ask, http = {url.rstrip("/") for url in allowed}, Http()
    for url in sorted({uri.rstrip("/") for uri, _ in promised}):
        if url not in may_ask:
            say(f"{url}: not asked; indelible upgrade-ots --calendar allows it")
            continue
        try:
            found = CalendarServer(name=waiting.name, url=url, http=http).upgrade(waiting.proof, waiting.digest)
        except ExternalFailure as error:
            say(f"{url}: {error}")
            continue
        if found is not None:
            return found
        say(f"{url}: not in Bitcoin yet")
    return None


def _read(source: Source, size: int, file: AnchorFile) -> Iterator[Pending]:
    note, proof = source.read(LEDGER, checkpoint_path(size)), source.read(LEDGER, file.path(size))
    if note is not None and proof is not None:
        yield Pending(file.path(size), file.name, proof, hashlib.sha256(note).digest())
