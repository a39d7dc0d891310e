# SPDX-License-Identifier: Apache-2.0
"""Legal holds on the in-memory bucket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from indelible.errors import Unavailable
from tests.fakes.bucket import Bucket


class FakeLegalHolds:
    """LegalHolds. `fails_after`: that many switches are done, and then S3 does not answer any more."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.switched: Counter[bool] = Counter()
        self.fails_after: int | None = None

    def versions(self, s3_key: str) -> Sequence[str]:
        return [version.version_id for version in self.bucket.versions(s3_key)]

    def is_on(self, s3_key: str, version_id: str) -> bool:
        self.bucket.version(s3_key, version_id)
        return (s3_key, version_id) in self.bucket.held

    def switch(self, s3_key: str, version_id: str, *, on: bool) -> None:
        if self.fails_after is not None and self.switched.total() >= self.fails_after:
            raise Unavailable("S3 did not take the request: SlowDown")
        self.bucket.put_legal_hold(s3_key, version_id, on=on)
        self.switched[on] += 1
