# SPDX-License-Identifier: Apache-2.0
"""The evidence bucket: records, written once, and whether the bucket can be reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from indelible.domain.findings import Lock
from indelible.domain.record import Record


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of one object, with content."""

    s3_key: str
    version_id: str
    data: bytes
    """Of an object of more than `MAX_OBJECT_BYTES` only that many bytes and one more are read."""
    sha256: str | None
    """The checksum that the store keeps, in hex; None where it keeps none. `data` need not have it."""
    lock: Lock | None
    shadows: tuple[str, ...] = ()
    """What hides this version from a plain GET: newer versions and delete markers."""


@dataclass(frozen=True, slots=True)
class KeyVersions:
    """All versions under one key, by their ids."""

    s3_key: str
    versions: tuple[str, ...]
    """Versions with content, oldest first."""
    markers: tuple[str, ...] = ()
    """Delete markers, oldest first."""
    size: int | None = field(default=None, compare=False)
    """The size in bytes of the oldest version, where the listing says it."""

    @property
    def shadows(self) -> tuple[str, ...]:
        """What hides the oldest version; where there is none, all delete markers."""
        return self.versions[1:] + tuple(f"delete marker {marker}" for marker in self.markers)


class StoredRecords(Protocol):
    """Records in the order of their keys, for readers. Any object below an organisation's prefix may turn up."""

    def versions(self, org_id: str, *, after: str) -> Iterator[KeyVersions]:
        """The keys of the organisation that sort after `after` and before its `_` area, ascending, lazily.

        Deleted and hidden ones are included. A key that is added meanwhile may be missed.
        """
        ...

    def read_all(self, keys: Iterable[KeyVersions]) -> Iterator[tuple[KeyVersions, StoredVersion | None]]:
        """Read the oldest version of each key, many at a time, and yield them in the order of `keys`.

        None where a key has no version with content. Takes a bounded number from `keys` ahead of what it yields.
        """
        ...

    def first_key_after(self, org_id: str, key: str) -> str | None:
        """The first record key that sorts after `key`, deleted ones included; None when there is none."""
        ...


class RecordStore(StoredRecords, Protocol):
    """Records that are written once. No method overwrites or deletes anything, or shortens a lock."""

    def seal(self, record: Record) -> str:
        """Store the record under its key, locked for at least as long as it promises, and return the version id.

        Create-only, and idempotent: where the same bytes are stored already, with at least the promised lock, the
        version id is theirs. On return the store has acknowledged a checksum equal to `record.tx_hash`.

        Raises EvidenceBroken when the key holds other bytes, or the same bytes without the promised lock.
        """
        ...

    def oldest(self, s3_key: str) -> StoredVersion | None:
        """The first version that was ever stored under the key, hidden or not; None when there is none."""
        ...


class BucketProbe(Protocol):
    """Whether the evidence can be reached."""

    def trouble(self) -> str | None:
        """None when the bucket answers, else the error's code for the log. One short request; raises nothing."""
        ...
