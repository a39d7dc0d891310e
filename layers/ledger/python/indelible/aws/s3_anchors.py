# SPDX-License-Identifier: Apache-2.0
"""AnchorFiles on the evidence bucket: when something was stored is S3's word, LastModified of its first version.

Sizes only grow, and so do the times at which they were published: whoever asks for the last day's checkpoints steps
back from the newest in growing steps, and lists from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from indelible.aws.error_map import translated
from indelible.domain import anchors, instants
from indelible.ports.outside import PublishedCheckpoint, StoredAnchor

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOG = "_ledger/_log/"
_CHECKPOINTS = f"{_LOG}checkpoints/"
_PAGE = 1000
_Found = tuple[str, int]


class S3Anchors:
    """Lists versions: a delete marker hides nothing."""

    def __init__(self, *, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def published(self, *, newest: int, since_ms: int) -> Sequence[PublishedCheckpoint]:
        """ListObjectVersions. IAM: s3:ListBucketVersions on the prefix `_ledger/`."""
        start = self._start(newest, since_ms)
        return [one for one in self._checkpoints(start) if one.published_ms >= since_ms or one.size >= newest]

    def stored(self, *, at_least: int) -> Iterator[StoredAnchor]:
        """ListObjectVersions. IAM: as for `published`."""
        after = f"{_LOG}{anchors.DIRECTORY}{max(at_least, 0):012d}"
        for key, stored_ms in self._oldest(f"{_LOG}{anchors.DIRECTORY}", after, _PAGE):
            found = anchors.parse_anchor_path(key.removeprefix(_LOG))
            if found is not None:
                yield StoredAnchor(*found, stored_ms)

    def _start(self, newest: int, since_ms: int) -> int:
        """A size below which nothing was published since then."""
        back = 1
        while back < newest:
            first = next(self._checkpoints(newest - back, page=2), None)  # a second key says that the first one ends
            if first is not None and first.published_ms < since_ms:
                return newest - back
            back *= 2
        return 1

    def _checkpoints(self, at_least: int, *, page: int = _PAGE) -> Iterator[PublishedCheckpoint]:
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
        key_marker, version_marker = after, ""
        while True:
            found, following = self._page(prefix, key_marker, version_marker, page)
            yield from found
            if following is None:
                return
            key_marker, version_marker = following

    @translated("S3")
    def _page(
        self, prefix: str, key_marker: str, version_marker: str, page: int
    ) -> tuple[list[_Found], tuple[str, str] | None]:
        markers = {"KeyMarker": key_marker} | ({"VersionIdMarker": version_marker} if version_marker else {})
        answer = self._client.list_object_versions(
            Bucket=self._bucket,
            Prefix=prefix,
            MaxKeys=page,
            **markers,  # type: ignore[arg-type]  # the stubs know these two by name only
        )
        found = [(one["Key"], instants.from_datetime(one["LastModified"])) for one in answer.get("Versions", [])]
        more = answer.get("IsTruncated", False)
        return found, (answer["NextKeyMarker"], answer.get("NextVersionIdMarker", "")) if more else None
