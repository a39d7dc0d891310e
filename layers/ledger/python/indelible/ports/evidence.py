# SPDX-License-Identifier: Apache-2.0
"""The bucket: records, write-once, and whether it can be reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from indelible.domain.findings import Lock
from indelible.domain.record import Record


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of one object, with content. `sha256` is the store's own checksum, hex.

    `data` is no more than `MAX_OBJECT_BYTES` and one byte: of a larger object the beginning, which is never kept whole.
    `shadows` names what lies over this version: newer versions and delete markers.
    """

    s3_key: str
    version_id: str
    data: bytes
    sha256: str | None
    lock: Lock | None
    shadows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyVersions:
    """All versions under one key, oldest first; `markers` are the version ids of delete markers.

    `size` is that of the oldest in bytes, where the listing says it.
    """

    s3_key: str
    versions: tuple[str, ...]
    markers: tuple[str, ...] = ()
    size: int | None = field(default=None, compare=False)

    @property
    def shadows(self) -> tuple[str, ...]:
        """Whatever lies over the sealed version (or, if none is left, over nothing)."""
        return self.versions[1:] + tuple(f"delete marker {marker}" for marker in self.markers)


class StoredRecords(Protocol):
    """What is stored, for whoever reads it in the order of keys."""

    def versions(self, org_id: str, *, after: str) -> Iterator[KeyVersions]:
        """Every key of the organisation that sorts after `after` and below the organisation's `_` area.

        In the order of keys, lazily, deleted and shadowed ones included.
        """
        ...

    def read_all(self, keys: Iterable[KeyVersions]) -> Iterator[tuple[KeyVersions, StoredVersion | None]]:
        """Read the oldest version of each key, many at a time, and yield in the order given.

        Takes from `keys` only a bounded number ahead. None where a key has no version with content.
        """
        ...

    def first_key_after(self, org_id: str, key: str) -> str | None:
        """The first record key of the organisation that sorts after `key`, deleted ones included."""
        ...


class RecordStore(StoredRecords, Protocol):
    """Write-once storage. Nothing here can overwrite, shorten or delete."""

    def seal(self, record: Record) -> str:
        """Store the record under its key, locked for at least what it promises, and return the version id.

        Create-only. Succeeds on conflict only when what is stored has the same SHA-256 and at least the
        promised lock; then the version id is that of the stored object. Raises EvidenceBroken when the key
        holds something else. On return the store has acknowledged a checksum equal to `record.tx_hash`.
        """
        ...

    def oldest(self, s3_key: str) -> StoredVersion | None:
        """The first version ever stored under the key, whatever lies over it; None when there is none."""
        ...


class BucketProbe(Protocol):
    """Whether the evidence can be reached."""

    def trouble(self) -> str | None:
        """None when the bucket answers, else a word for the log. Cheap, quick to give up, raises nothing."""
        ...
