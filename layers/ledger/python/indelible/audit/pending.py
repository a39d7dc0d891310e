# SPDX-License-Identifier: Apache-2.0
"""OpenTimestamps proofs that wait for Bitcoin, and asking the calendars for them.

Invariant: an address is contacted only if it is both named by the proof and among those that the caller allows. A proof
comes from whoever made the bundle; it does not get to say whom the auditor's machine talks to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

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
    """A proof and the SHA-256 of what it is for. `path` is where the bucket has it."""

    path: str
    name: str
    proof: bytes
    digest: bytes

    def completed_path(self, height: int) -> str:
        """Where the bucket would have the completed one."""
        return f"{self.path.removesuffix('.pending.ots')}.bitcoin-{height}.ots"


def single(file_name: str, proof: bytes, data: bytes) -> Pending:
    """A proof by itself, for this data."""
    path = file_name if file_name.endswith(".pending.ots") else f"{file_name.removesuffix('.ots')}.pending.ots"
    return Pending(path, file_name, proof, hashlib.sha256(data).digest())


def pending(source: Source) -> Iterator[Pending]:
    """Those of the ledger's checkpoints in a source of which there is no completed one."""
    found = [parsed for name in source.names(LEDGER, DIRECTORY) if (parsed := parse_anchor_path(name)) is not None]
    complete = {(size, file.name) for size, file in found if file.kind == "bitcoin"}
    for size, file in found:
        if file.kind == "pending" and (size, file.name) not in complete:
            yield from _read(source, size, file)


def complete(waiting: Pending, allowed: Iterable[str], say: Callable[[str], None]) -> tuple[int, bytes] | None:
    """Block height and completed proof; None where no calendar has it yet. Raises NotEvidence."""
    from indelible.outside.http import Http
    from indelible.outside.opentimestamps import CalendarServer
    from indelible.outside.verify_ots import pending_at, read_detached
    from indelible.ports.outside import OutsideFailure

    try:
        promised = pending_at(read_detached(waiting.proof, waiting.digest))
    except ValueError as error:
        raise NotEvidence(f"{waiting.path}: {error}") from None
    may_ask, http = {url.rstrip("/") for url in allowed}, Http()
    for url in sorted({uri.rstrip("/") for uri, _ in promised}):
        if url not in may_ask:
            say(f"{url}: not asked; allow it with --calendar")
            continue
        try:
            found = CalendarServer(name=waiting.name, url=url, http=http).upgrade(waiting.proof, waiting.digest)
        except OutsideFailure as error:
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
