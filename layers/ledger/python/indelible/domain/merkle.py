# SPDX-License-Identifier: Apache-2.0
"""The Merkle tree of RFC 6962 §2.1: hashes, proofs and their verification.

Invariant: a root commits to the number, the order and the content of the leaves. Verification follows RFC 9162
§2.1.3.2 and §2.1.4.2 step by step. Hashes are the 32 raw bytes of SHA-256; indices count from 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import TypeAlias

HASH_BYTES = 32
Hash: TypeAlias = bytes
EMPTY_ROOT: Hash = hashlib.sha256(b"").digest()

NodeReader: TypeAlias = Callable[[int, int], Hash]
"""`(height, index)` → the root of the `index`-th perfect subtree with 2^height leaves."""


class ProofInvalid(ValueError):
    """The proof does not lead to the root."""


def leaf_hash(data: bytes) -> Hash:
    """SHA-256(0x00 ‖ data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: Hash, right: Hash) -> Hash:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Subtree:
    """A perfect subtree of 2^height leaves, by its root."""

    height: int
    root: Hash


def merge(subtrees: Iterable[Subtree]) -> list[Subtree]:
    """Join neighbouring perfect subtrees (left to right) of equal height, until all heights are strictly decreasing.

    The heights that remain are the binary form of the number of leaves. They are all that is needed to compute the root
    and to append further leaves.
    """
    stack: list[Subtree] = []
    for subtree in subtrees:
        stack.append(subtree)
        while len(stack) > 1 and stack[-1].height == stack[-2].height:
            right, left = stack.pop(), stack.pop()
            stack.append(Subtree(left.height + 1, node_hash(left.root, right.root)))
    return stack


def subtrees(leaves: Sequence[bytes], first: int) -> tuple[Subtree, ...]:
    """The fewest perfect subtrees over consecutive leaf data, left to right; `first` is the first leaf's index."""
    sha256 = hashlib.sha256  # calling `leaf_hash` and `node_hash` would take longer than the hashing
    row = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    left: list[Subtree] = []
    right: list[Subtree] = []
    height, index = 0, first
    while row:
        if index & 1:
            left.append(Subtree(height, row[0]))
            row, index = row[1:], index + 1
        if len(row) & 1:
            right.append(Subtree(height, row.pop()))
        pairs = iter(row)
        row = [sha256(b"\x01" + one + other).digest() for one, other in zip(pairs, pairs, strict=True)]
        height, index = height + 1, index >> 1
    return (*left, *reversed(right))


def root_of(subtrees: Iterable[Subtree]) -> Hash:
    """The root of the tree that consists of these perfect subtrees, left to right; `EMPTY_ROOT` for none."""
    parts = merge(subtrees)
    if not parts:
        return EMPTY_ROOT
    root = parts.pop().root
    while parts:
        root = node_hash(parts.pop().root, root)
    return root


def perfect_root(hashes: Sequence[Hash]) -> Hash:
    """The root over 2^n consecutive hashes. Raises ValueError for any other number of them."""
    row = list(hashes)
    if len(row).bit_count() != 1:
        raise ValueError("the number of hashes in a perfect subtree is a power of two")
    while len(row) > 1:
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


def inclusion_proof(index: int, size: int, node: NodeReader) -> list[Hash]:
    """PATH(index, D[size]) of RFC 6962 §2.1.1: sibling hashes from the leaf to the root.

    Raises ValueError unless 0 ≤ index < size.
    """
    if not 0 <= index < size:
        raise ValueError("the index is not in the tree")
    path: list[Hash] = []
    low, high = 0, size
    while high - low > 1:  # from the root down; the proof reads from the leaf up
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range_root(middle, high, node))
            high = middle
        else:
            path.append(_range_root(low, middle, node))
            low = middle
    return path[::-1]


def consistency_proof(old: int, new: int, node: NodeReader) -> list[Hash]:
    """PROOF(old, D[new]) of RFC 6962 §2.1.2; empty for equal sizes.

    Raises ValueError unless 0 < old ≤ new.
    """
    if not 0 < old <= new:
        raise ValueError("a consistency proof goes from a size above 0 to the same or a larger one")
    path: list[Hash] = []
    low, high, whole = 0, new, True
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(_range_root(middle, high, node))
            high = middle
        else:
            path.append(_range_root(low, middle, node))
            low, whole = middle, False
    if not whole:
        path.append(_range_root(low, high, node))
    return path[::-1]


def verify_inclusion(leaf: Hash, index: int, size: int, proof: Sequence[Hash], root: Hash) -> None:
    """Verify that the tree of this size and root has this leaf hash at this index (RFC 9162 §2.1.3.2).

    Raises ProofInvalid.
    """
    if not 0 <= index < size:
        raise ProofInvalid("the index is not in the tree")
    _check_lengths(leaf, *proof)
    fn, sn, found = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            raise ProofInvalid("the proof is too long")
        if fn & 1 or fn == sn:
            found = node_hash(sibling, found)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = node_hash(found, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ProofInvalid("the proof is too short")
    _compare(found, root)


def verify_consistency(old: int, new: int, old_root: Hash, new_root: Hash, proof: Sequence[Hash]) -> None:
    """Verify that the new tree begins with the leaves of the old one (RFC 9162 §2.1.4.2). Raises ProofInvalid.

    The proof is empty for equal sizes, and for an empty old tree.
    """
    if not 0 <= old <= new:
        raise ProofInvalid("the sizes are out of order")
    if old in (0, new):
        if proof:
            raise ProofInvalid("the proof is too long")
        if old == 0:
            _compare(old_root, EMPTY_ROOT)
        if old == new:
            _compare(new_root, old_root)
        return
    _check_lengths(*proof)
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise ProofInvalid("the proof is too short")
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    found_old = found_new = path[0]
    for sibling in path[1:]:
        if sn == 0:
            raise ProofInvalid("the proof is too long")
        if fn & 1 or fn == sn:
            found_old, found_new = node_hash(sibling, found_old), node_hash(sibling, found_new)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            found_new = node_hash(found_new, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise ProofInvalid("the proof is too short")
    _compare(found_old, old_root)
    _compare(found_new, new_root)


def _range_root(low: int, high: int, node: NodeReader) -> Hash:
    """MTH(D[low:high]); `low` is a multiple of the smallest power of two that is at least `high - low`."""
    parts: list[Subtree] = []
    while low < high:
        height = (high - low).bit_length() - 1
        parts.append(Subtree(height, node(height, low >> height)))
        low += 1 << height
    return root_of(parts)


def _split(width: int) -> int:
    """The largest power of two smaller than the width."""
    return 1 << (width - 1).bit_length() - 1


def _check_lengths(*hashes: Hash) -> None:
    # Two siblings are concatenated and hashed: moving a byte from one to the other would not change their hash.
    if any(len(found) != HASH_BYTES for found in hashes):
        raise ProofInvalid(f"a hash has {HASH_BYTES} bytes")


def _compare(found: Hash, expected: Hash) -> None:
    if not compare_digest(found, expected):
        raise ProofInvalid("the proof leads to another root")
