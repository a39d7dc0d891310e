# SPDX-License-Identifier: Apache-2.0
"""MTH of RFC 6962 §2.1 as it is written there: slow, recursive, and nothing of the code under test."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256


def root_of_leaves(leaves: Sequence[bytes]) -> bytes:
    """The root over these leaf data."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + root_of_leaves(leaves[:half]) + root_of_leaves(leaves[half:])).digest()
