# SPDX-License-Identifier: Apache-2.0
"""Where evidence is read from: what every source can do, and what each of them cannot show.

A source implements the reading half of the ports for records and logs, so the API's own code runs on it. It can also be
read in parts, each of which another process may read.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Protocol

from indelible.audit.segment import Expected, Segment
from indelible.domain.findings import Failure, FailureCode
from indelible.domain.ledger import LEDGER_PROOFS, ledger_proof_path, parse_ledger_proof_path
from indelible.ports import KeyVersions, StoredLogFiles, StoredRecords


class NotEvidence(Exception):
    """Nothing could be checked: the source, or something given beside it, cannot be read. The message is one line."""


@dataclass(frozen=True, slots=True)
class Part:
    """`records` neighbouring keys. `place` is for the source alone; it is picklable, and JSON represents it.

    `after` is the key after which the source continues.
    """

    place: Any
    records: int
    after: str


@dataclass(frozen=True, slots=True)
class WalkSummary:
    """What a walk has read of a source: sequences `first` to `last`, `entries` records; `found` is what was wrong.

    `whole`: everything was asked for that the source says that it has.
    """

    ledger_name: str | None
    first: int
    last: int
    entries: int
    found: Collection[tuple[FailureCode, int | None]]
    strict: bool
    whole: bool


class Published:
    """A source's log files, with the checkpoints that there were at the beginning: the ledger goes on publishing.

    Records are listed afterwards, so the records that each of these checkpoints covers are in the listing.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._sizes: dict[str, array[int]] = {}

    def read(self, owner: str, path: str) -> bytes | None:
        """As StoredLogFiles."""
        return self._source.read(owner, path)

    def sizes(self, owner: str, *, at_least: int) -> Iterator[int]:
        """As StoredLogFiles."""
        if owner not in self._sizes:
            self._sizes[owner] = array("Q", self._source.sizes(owner, at_least=1))
        found = self._sizes[owner]
        return iter(found[bisect_left(found, at_least) :])

    def checkpoints(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:
        """As StoredLogFiles."""
        last = max(self.sizes(owner, at_least=at_least), default=0)
        return takewhile(lambda found: found[0] <= last, self._source.checkpoints(owner, at_least=at_least))


class ListedLogFiles(StoredLogFiles, Protocol):
    """Log files whose names can be listed."""

    def names(self, owner: str, prefix: str, *, after: str = "") -> Iterator[str]:
        """The paths below `{owner}/_log/` that begin with `prefix` and sort after `after`, in order, lazily."""
        ...

    def ledger_proofs(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:
        """The files under `LEDGER_PROOFS`: the size of the checkpoint, from `at_least` on, ascending, and the content.

        The content is that of the first version. Lazily; a bounded number is read ahead.
        """
        ...


def proofs_at_hand(files: ListedLogFiles, owner: str, at_least: int) -> Iterator[tuple[int, bytes]]:
    """As `ledger_proofs`, for local files: they are read one after another."""
    found = map(parse_ledger_proof_path, files.names(owner, LEDGER_PROOFS))
    for size in sorted({size for size in found if size is not None and size >= at_least}):
        data = files.read(owner, ledger_proof_path(size))
        if data is not None:
            yield size, data


class Source(StoredRecords, ListedLogFiles, Protocol):
    """One organisation's records, its log and the ledger's own log, for reading only."""

    where: str
    """For people: the path or the URL."""
    org_id: str
    locks: bool
    """Whether it shows locks."""
    unchecked: Sequence[str]
    """What it cannot show, each as a clause for people."""
    may_lack_statements: bool
    """Whether it can be a sound copy without the ledger's statements about its signing keys."""
    starts_at: int
    """The first sequence that it can have: 1, but for a bundle of a later range."""
    ends_at: int | None
    """The last sequence that it says that it has; None where it does not say."""
    fingerprint: str
    """Different for another source: a progress file about one is not used for another."""
    identity: str | None
    """Of a single file: different once it was written to or replaced. None for a source of many objects."""

    def parts(self, *, after: str) -> Iterator[Part]:
        """All keys after this one, in parts. With a part's `after`, the parts that follow it."""
        ...

    def keys_of(self, part: Part) -> Iterator[KeyVersions]:
        """The keys of a part, as `versions` lists them."""
        ...

    def scan(self, part: Part, expected: Expected) -> Segment | None:
        """Read a part fast; None when anything in it is not exactly as it should be."""
        ...

    def count(self) -> int | None:
        """How many records there are; None where that is not known beforehand."""
        ...

    def noticed(self) -> list[Failure]:
        """Failures in how the source presents the keys read since the last call; not those of the records."""
        ...

    def own_failures(self, summary: WalkSummary) -> Iterator[Failure]:
        """Failures of the source itself: of a bundle's files and manifest, not of records and logs."""
        ...
