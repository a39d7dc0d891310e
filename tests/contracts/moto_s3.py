# SPDX-License-Identifier: Apache-2.0
"""ListObjectVersions as S3 answers it, for moto.

moto 5.2.5 leaves out the first version after a KeyMarker, and orders versions of the same millisecond as they come.
"""

from __future__ import annotations

import copy
from itertools import groupby
from typing import Any

from moto.s3.models import FakeDeleteMarker, S3Backend


def list_object_versions(
    self: S3Backend,
    bucket_name: str,
    delimiter: str | None = None,
    key_marker: str | None = None,
    max_keys: int | None = 1000,
    prefix: str = "",
    version_id_marker: str | None = None,
) -> tuple[list[Any], list[str], list[Any], str | None, str | None]:
    """By key, newest first within one; from after the markers on."""
    stored = self.get_bucket(bucket_name).keys.iterlists()
    if delimiter is not None:
        assert (prefix, key_marker) == ("", None)  # the one way in which it is asked: for the first level, on one page
        firsts = {key.partition(delimiter)[0] for key, _ in stored}
        return [], [f"{first}{delimiter}" for first in sorted(firsts)], [], None, None
    stacks = {key: [copy.copy(version) for version in reversed(stack)] for key, stack in stored}
    entries = [version for key in sorted(stacks) if key.startswith(prefix) for version in stacks[key]]
    for _, same_key in groupby(entries, key=lambda version: version.name):
        for position, version in enumerate(same_key):
            version.is_latest = position == 0
    if key_marker:
        past = [position for position, version in enumerate(entries) if version.name <= key_marker]
        if version_id_marker:
            past = [
                position
                for position, version in enumerate(entries)
                if (version.name, version.version_id) == (key_marker, version_id_marker)
            ]
        entries = entries[past[-1] + 1 :] if past else entries
    page = entries[: max_keys or 1000]
    last = page[-1] if len(page) < len(entries) else None
    return (
        [version for version in page if not isinstance(version, FakeDeleteMarker)],
        [],
        [version for version in page if isinstance(version, FakeDeleteMarker)],
        last.name if last else None,
        last.version_id if last else None,
    )
