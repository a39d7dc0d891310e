# SPDX-License-Identifier: Apache-2.0
"""From what the ports return to what the chain checker examines."""

from __future__ import annotations

from indelible.domain.findings import StoredObject
from indelible.ports import KeyVersions, StoredVersion


def stored_object(keys: KeyVersions, stored: StoredVersion | None) -> StoredObject:
    """`stored` is the sealed version, the oldest with content; None where no version with content is left."""
    if stored is None:
        return StoredObject(s3_key=keys.s3_key, version_id=None, data=None, shadows=keys.shadows)
    return StoredObject(
        s3_key=keys.s3_key,
        version_id=stored.version_id,
        data=stored.data,
        stored_sha256=stored.sha256,
        lock=stored.lock,
        shadows=keys.shadows,
    )
