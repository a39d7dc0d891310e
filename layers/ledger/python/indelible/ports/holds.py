# SPDX-License-Identifier: Apache-2.0
"""The legal hold of S3 Object Lock: a flag of an object version that forbids deleting it while it is on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class LegalHolds(Protocol):
    """The flags of the evidence bucket. A flag does not say who set it, or how often: services/holds.py does."""

    def versions(self, s3_key: str) -> Sequence[str]:
        """The ids of all versions with content under a key, oldest first; empty where there is no such key."""
        ...

    def is_on(self, s3_key: str, version_id: str) -> bool:
        """Whether the version is held."""
        ...

    def switch(self, s3_key: str, version_id: str, *, on: bool) -> None:
        """Set the flag of a version. Idempotent; the version's retention stays as it is."""
        ...
