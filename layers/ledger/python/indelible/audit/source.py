# SPDX-License-Identifier: Apache-2.0
"""Where evidence comes from: what every source can do, and what each of them cannot show.

A source is the reading half of the ports for records and logs, so everything that the API runs on the bucket
runs on it; and beside that it can be read in parts, each of which another process may read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from indelible.audit.scan import Ask, Scanned
from indelible.domain.findings import Failure
from indelible.ports import KeyVersions, StoredLogFiles, StoredRecords


class NotEvidence(Exception):
    """The source cannot be read as what it should be: nothing could be checked. The message is one clear line."""


@dataclass(frozen=True, slots=True)
class Part:
    """A number of neighbouring keys. `place` is the source's own; it is picklable, and JSON keeps it.

    `after` is where the source goes on once this part is read.
    """

    place: Any
    records: int
    after: str


class Source(StoredRecords, StoredLogFiles, Protocol):
    """One organisation's records and the logs, for reading only."""

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
    fingerprint: str
    """Changes when the source is another, so that nobody goes on in the middle of one."""

    def names(self, owner: str, prefix: str) -> Iterator[str]:
        """The paths below `{owner}/_log/` that begin with this, in order."""
        ...

    def parts(self, *, after: str) -> Iterator[Part]:
        """All keys after this one, in parts; `after` of a part goes on behind it."""
        ...

    def keys_of(self, part: Part) -> Iterator[KeyVersions]:
        """The keys of a part, as `versions` has them."""
        ...

    def scan(self, part: Part, ask: Ask) -> Scanned | None:
        """Read a part fast; None when anything in it is not exactly as it should be."""
        ...

    def count(self) -> int | None:
        """How many records there are, where that is known beforehand."""
        ...

    def own_failures(self, *, strict: bool) -> Iterator[Failure]:
        """What is wrong with the source itself, beside its records and logs."""
        ...
