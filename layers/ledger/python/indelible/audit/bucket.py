# SPDX-License-Identifier: Apache-2.0
"""The bucket itself, with versions and locks, through the adapters that the functions use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from indelible.audit import segment
from indelible.audit.segment import Expected, Segment
from indelible.audit.source import ListedLogFiles, Part, WalkSummary
from indelible.domain.findings import Failure
from indelible.ports import KeyVersions, StoredRecords

_PART = 200
"""Records of a part: 50 MiB of them at most."""


class BucketSource:
    """`again` opens the same bucket in another process."""

    ends_at: int | None = None
    may_lack_statements: bool = False
    identity: str | None = None
    locks: bool = True
    starts_at = 1
    unchecked: Sequence[str] = ()

    def __init__(
        self,
        *,
        where: str,
        org_id: str,
        records: StoredRecords,
        files: ListedLogFiles,
        again: Callable[[], BucketSource] | None = None,
    ) -> None:
        self._again = again
        self.where = where
        self.org_id = org_id
        self.fingerprint = f"bucket {where}"
        self.versions, self.read_all, self.first_key_after = records.versions, records.read_all, records.first_key_after
        self.read, self.sizes, self.checkpoints = files.read, files.sizes, files.checkpoints
        self.names, self.ledger_proofs = files.names, files.ledger_proofs

    def __reduce__(self) -> tuple[Callable[[], BucketSource], tuple[()]]:
        if self._again is None:
            raise TypeError("connections do not go from one process to another")
        return self._again, ()

    def parts(self, *, after: str) -> Iterator[Part]:
        """See Source."""
        listed = self.versions(self.org_id, after=after)
        while keys := list(islice(listed, _PART)):
            place = [[entry.s3_key, list(entry.versions), list(entry.markers), entry.size] for entry in keys]
            yield Part(place, len(keys), keys[-1].s3_key)

    def keys_of(self, part: Part) -> Iterator[KeyVersions]:
        """See Source."""
        return (KeyVersions(key, tuple(versions), tuple(markers), size) for key, versions, markers, size in part.place)

    def scan(self, part: Part, expected: Expected) -> Segment | None:
        """See Source."""
        entries = list(self.keys_of(part))
        if any(entry.shadows or not entry.versions for entry in entries):
            return None  # whatever these are, they need no reading to be looked at one by one
        stored = [found for _, found in self.read_all(entries) if found is not None]
        read = segment.read([found.data for found in stored], expected, lambda at: stored[at].version_id)
        if (
            read is None
            or read.keys(expected.org_id) != [found.s3_key for found in stored]
            or any(found.sha256 not in (None, one.hex()) for found, one in zip(stored, read.digests, strict=True))
            or not read.locked([found.lock for found in stored])
        ):
            return None
        return segment.segment_of(read, expected)

    def count(self) -> int | None:
        """None: not known before all keys are listed."""
        return None

    def noticed(self) -> list[Failure]:
        """No failures: keys are those of the bucket."""
        return []

    def own_failures(self, summary: WalkSummary) -> Iterator[Failure]:  # noqa: ARG002 -- S3 keeps a checksum of each object
        """No failures: S3 keeps a checksum of each object."""
        return iter(())
