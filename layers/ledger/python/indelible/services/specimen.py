# SPDX-License-Identifier: Apache-2.0
"""From what a store returned to what the chain checker examines."""

from __future__ import annotations

from indelible.domain.findings import Specimen
from indelible.ports import KeyVersions, StoredVersion


def specimen(keys: KeyVersions, stored: StoredVersion | None) -> Specimen:
    """The sealed version and what lies over it; without any version with content only the latter is left."""
    if stored is None:
        return Specimen(s3_key=keys.s3_key, version_id=None, data=None, shadows=keys.shadows)
    return Specimen(
        s3_key=keys.s3_key,
        version_id=stored.version_id,
        data=stored.data,
        stored_sha256=stored.sha256,
        lock=stored.lock,
        shadows=keys.shadows,
    )
