# SPDX-License-Identifier: Apache-2.0
"""AnchorFiles on the evidence bucket. The time at which a file was stored is LastModified of its first version.

Checkpoints are published in the order of their sizes. To find those of the last day, `published` probes sizes at
doubling distances below the newest, until one is old enough, and lists from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from indelible.aws.s3_versions import PAGE, pages
from indelible.domain import anchors, instants
from indelible.ports.external import PublishedCheckpoint, StoredAnchor

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOG = "_ledger/_log/"
_CHECKPOINTS = f"{_LOG}checkpoints/"
_Found = tuple[str, int]


class S3Anchors:
    """Lists object versions, so that a delete marker hides nothing."""

    def __init__(self, *, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def published(self, *, newest: int, since_ms: int) -> Sequence[PublishedCheckpoint]:
        """ListObjectVersions. IAM: s3:ListBucketVersions on the prefix `_ledger/`."""
        start = self._start(newest, since_ms)
        return [one for one in self._checkpoints(start) if one.published_ms >= since_ms or one.size >= newest]

    def stored(self, *, at_least: int) -> Iterator[StoredAnchor]:
        """ListObjectVersions. IAM: s3:ListBucketVersions on the prefix `_ledger/`."""
        after = f"{_LOG}{anchors.DIRECTORY}{max(at_least, 0):012d}"
        for key, stored_ms in self._oldest(f"{_LOG}{anchors.DIRECTORY}", after, PAGE):
            found = anchors.parse_anchor_path(key.removeprefix(_LOG))
            if found is not None:
                yield StoredAnchor(*found, stored_ms)

    def _start(self, newest: int, since_ms: int) -> int:
        """A size below which no checkpoint was published since then."""
        back = 1
        while back < newest:
            # Pages of two entries: the second key shows that all versions of the first were listed.
            first = next(self._checkpoints(newest - back, page=2), None)
            if first is not None and first.published_ms < since_ms:
                return newest - back
            back *= 2
        return 1

    def _checkpoints(self, at_least: int, *, page: int = PAGE) -> Iterator[PublishedCheckpoint]:
        for key, stored_ms in self._oldest(_CHECKPOINTS, f"{_CHECKPOINTS}{at_least - 1:012d}", page):
            name = key.removeprefix(_CHECKPOINTS)
            if len(name) == 12 and name.isascii() and name.isdigit() and int(name) >= at_least:
                yield PublishedCheckpoint(int(name), stored_ms)

    def _oldest(self, prefix: str, after: str, page: int) -> Iterator[_Found]:
        """Every key after this one, with the time of its first version; S3 lists a key's newest version first."""
        for _, versions in groupby(self._versions(prefix, after, page), key=lambda found: found[0]):
            *_, oldest = versions
            yield oldest

    def _versions(self, prefix: str, after: str, page: int) -> Iterator[_Found]:
        for listed in pages(self._client, self._bucket, prefix=prefix, after=after, most=page):
            for one in listed.get("Versions", []):
                yield one["Key"], instants.from_datetime(one["LastModified"])
