# SPDX-License-Identifier: Apache-2.0
"""RFC 6962 §2.1 written down as it stands there: recursive, slow, and sharing nothing with the code under test.

Besides the hashes it gives each proof's shape, the sides on which they are joined. A root does not name its size: of
two sizes with the same shape, a proof for one is a proof for the other, and it is the checkpoint that binds the size.
"""

from __future__ import annotations

import hashlib
from functools import cache

MOST = 300
LEAVES = [hashlib.sha256(b"leaf %d" % number).digest() for number in range(MOST + 1)]


@cache
def mth(low: int, high: int) -> bytes:
    """MTH(D[low:high])."""
    if low == high:
        return hashlib.sha256().digest()
    if high - low == 1:
        return hashlib.sha256(b"\0" + LEAVES[low]).digest()
    middle = low + split(high - low)
    return hashlib.sha256(b"\1" + mth(low, middle) + mth(middle, high)).digest()


def split(width: int) -> int:
    """The largest power of two smaller than the width."""
    power = 1
    while power * 2 < width:
        power *= 2
    return power


@cache
def path(index: int, low: int, high: int) -> tuple[tuple[str, bytes], ...]:
    """PATH(m, D[low:high]) of §2.1.1, each hash with its side."""
    if high - low == 1:
        return ()
    middle = low + split(high - low)
    if index < middle:
        return (*path(index, low, middle), ("right", mth(middle, high)))
    return (*path(index, middle, high), ("left", mth(low, middle)))


@cache
def subproof(old: int, low: int, high: int, whole: bool) -> tuple[tuple[str, bytes], ...]:
    """SUBPROOF(m, D[low:high], b) of §2.1.2, each hash with its side; `old` counts from the tree's start."""
    if old == high:
        return () if whole else (("start", mth(low, high)),)
    middle = low + split(high - low)
    if old <= middle:
        return (*subproof(old, low, middle, whole), ("right", mth(middle, high)))
    return (*subproof(old, middle, high, False), ("left", mth(low, middle)))


def inclusion(index: int, size: int) -> list[bytes]:
    """The inclusion proof."""
    return [found for _, found in path(index, 0, size)]


def inclusion_shape(index: int, size: int) -> list[str]:
    """On which side each hash of the inclusion proof is joined."""
    return [side for side, _ in path(index, 0, size)]


def consistency(old: int, new: int) -> list[bytes]:
    """The consistency proof."""
    return [found for _, found in subproof(old, 0, new, True)]


def consistency_shape(old: int, new: int) -> list[str]:
    """On which side each hash of the consistency proof is joined."""
    return [side for side, _ in subproof(old, 0, new, True)]
