# SPDX-License-Identifier: Apache-2.0
"""A verifier of Merkle logs that shares no line with the ledger's: RFC 9162, C2SP signed notes, tlog-tiles, tlog-proof.

Written from the specifications alone, in their words and in their order. It refuses by `ValueError`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def public_key(pem: str) -> bytes:
    key = load_pem_public_key(pem.encode())
    assert isinstance(key, Ed25519PublicKey)
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def opened(note: bytes, name: str, key: bytes) -> tuple[int, bytes]:
    """Size and root of a checkpoint whose origin is `name`, signed by the key of that name."""
    text, signatures = note.decode().rsplit("\n\n", 1)
    key_id = sha256(name.encode(), b"\n\x01", key)[:4]
    mine = [line.split(" ")[2] for line in signatures.splitlines() if line.startswith(f"\u2014 {name} ")]
    blobs = [base64.b64decode(blob, validate=True) for blob in mine]
    found = [blob[4:] for blob in blobs if blob[:4] == key_id]
    if not found:
        raise ValueError("not signed by this key")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(found[0], f"{text}\n".encode())
    except InvalidSignature:
        raise ValueError("bad signature") from None
    origin, size, root = text.split("\n")
    if origin != name:
        raise ValueError("another log")
    return int(size), base64.b64decode(root)


def check_proof(proof: str, leaf_data: bytes, name: str, key: bytes) -> tuple[int, int]:
    """Index and tree size of a leaf, from a c2sp.org/tlog-proof file (RFC 9162 §2.1.3.2)."""
    head, checkpoint = proof.split("\n\n", 1)
    version, index, *path = head.split("\n")
    if version != "c2sp.org/tlog-proof@v1" or not index.startswith("index "):
        raise ValueError("not a proof")
    leaf_index = int(index.removeprefix("index "))
    tree_size, root = opened(checkpoint.encode(), name, key)
    if leaf_index >= tree_size:
        raise ValueError("index beyond the tree")
    fn, sn, r = leaf_index, tree_size - 1, sha256(b"\x00", leaf_data)
    for p in map(base64.b64decode, path):
        if sn == 0:
            raise ValueError("path too long")
        if fn & 1 or fn == sn:
            r = sha256(b"\x01", p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha256(b"\x01", r, p)
        fn, sn = fn >> 1, sn >> 1
    if sn or r != root:
        raise ValueError("the path does not lead to the root")
    return leaf_index, tree_size


def check_consistency(first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> None:
    """RFC 9162 §2.1.4.2, for 0 < first < second."""
    if not path:
        raise ValueError("empty proof")
    path = [first_root, *path] if first & (first - 1) == 0 else [*path]
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            raise ValueError("path too long")
        if fn & 1 or fn == sn:
            fr, sr = sha256(b"\x01", c, fr), sha256(b"\x01", c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = sha256(b"\x01", sr, c)
        fn, sn = fn >> 1, sn >> 1
    if sn or fr != first_root or sr != second_root:
        raise ValueError("the trees are not consistent")


# -- reading tiles, and the definitions of RFC 9162 §2.1.1 and §2.1.4.1 ---------------------------------


def tile(level: int | str, index: int, width: int) -> str:
    """The path of a tile, or of an entry bundle with the level `entries` (c2sp.org/tlog-tiles)."""
    number = f"{index:03d}" if index < 1000 else f"x{index // 1000:03d}/{index % 1000:03d}"
    return f"tile/{level}/{number}" + ("" if width == 256 else f".p/{width}")


def paths(size: int) -> set[str]:
    """Every tile and bundle of a tree, whole and partial (less than 65,536,000 leaves)."""
    found, level, count = set(), 0, size
    while count:
        for index in range(-(-count // 256)):
            width = min(256, count - 256 * index)
            found.add(tile(level, index, width))
            if level == 0:
                found.add(tile("entries", index, width))
        level, count = level + 1, count // 256
    return found


def leaf_hashes(size: int, read: Callable[[str], bytes]) -> list[bytes]:
    """All leaf hashes of a tree, from the tiles of level 0."""
    data = b"".join(read(tile(0, index, min(256, size - 256 * index))) for index in range(-(-size // 256)))
    assert len(data) == 32 * size
    return [data[start : start + 32] for start in range(0, len(data), 32)]


def mth(hashes: Sequence[bytes]) -> bytes:
    """Merkle Tree Hash over leaf hashes."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b"\x01", mth(hashes[:k]), mth(hashes[k:]))


def proof(m: int, hashes: Sequence[bytes]) -> list[bytes]:
    """PROOF(m, D_n)."""

    def subproof(m: int, d: Sequence[bytes], whole: bool) -> list[bytes]:
        if m == len(d):
            return [] if whole else [mth(d)]
        k = 1 << (len(d) - 1).bit_length() - 1
        if m <= k:
            return [*subproof(m, d[:k], whole), mth(d[k:])]
        return [*subproof(m - k, d[k:], False), mth(d[:k])]

    return subproof(m, hashes, True)
