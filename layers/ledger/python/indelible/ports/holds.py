# SPDX-License-Identifier: Apache-2.0
"""S3 Object Lock's legal hold: one flag of one object version, which forbids deleting it for as long as it is on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class LegalHolds(Protocol):
    """The flags of the evidence bucket."""

    def versions(self, s3_key: str) -> Sequence[str]:
        """The ids of all versions with content under a key, oldest first; none where there is no such key."""
        ...

    def is_on(self, s3_key: str, version_id: str) -> bool:
        """Whether the version is held."""
        ...

    def switch(self, s3_key: str, version_id: str, *, on: bool) -> None:
        """Hold the version, or let go of it; its retention stays as it is. Again changes nothing."""
        ...
