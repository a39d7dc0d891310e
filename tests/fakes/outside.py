# SPDX-License-Identifier: Apache-2.0
"""AnchorFiles, in the bucket where the ledger's log is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from indelible.domain.anchors import parse_anchor_path
from indelible.ports.outside import PublishedCheckpoint, StoredAnchor
from tests.fakes.bucket import Bucket

_LOG = "_ledger/_log/"


class FakeAnchorFiles:
    """When something was stored is the bucket's word for its first version."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    def published(self, *, newest: int, since_ms: int) -> Sequence[PublishedCheckpoint]:
        found = [
            PublishedCheckpoint(int(name), stored_ms)
            for name, stored_ms in self._below(f"{_LOG}checkpoints/", "")
            if re.fullmatch("[0-9]{12}", name)
        ]
        return [one for one in found if one.published_ms >= since_ms or one.size >= newest]

    def stored(self, *, at_least: int) -> Iterator[StoredAnchor]:
        for path, stored_ms in self._below(_LOG, f"{_LOG}anchors/{at_least:012d}"):
            parsed = parse_anchor_path(path)
            if parsed is not None:
                yield StoredAnchor(*parsed, stored_ms)

    def _below(self, prefix: str, after: str) -> Iterator[tuple[str, int]]:
        for key in self.bucket.keys(prefix, after=after):
            versions = self.bucket.versions(key)
            if versions:
                yield key.removeprefix(prefix), self.bucket.stored_ms[versions[0].version_id]
