# SPDX-License-Identifier: Apache-2.0
"""A signed Merkle log as files, written once more from docs/format.md and the specifications that it names.

Invariant: imports nothing of indelible. RFC 9162 §2.1, C2SP tlog-tiles, tlog-checkpoint, tlog-proof, tlog-cosignature;
Ed25519 by `cryptography`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.vectors.keys.generate import key_id, private, public

WIDTH = 256
WITNESS = "witness.example.com/w1"
WITNESS_SEED = 0x77
"""The witness's private half is 32 times this byte."""


def sha256(*parts: bytes) -> bytes:
    """The digest of the parts, joined."""
    return hashlib.sha256(b"".join(parts)).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162 §2.1.1, over leaf hashes."""
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return sha256(b"\x01", root(leaves[:k]), root(leaves[k:]))


def path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 9162 §2.1.3.1: the inclusion proof, from the leaf upwards."""
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*path(index, leaves[:k]), root(leaves[k:])]
    return [*path(index - k, leaves[k:]), root(leaves[:k])]


def line(name: str, seed: int, text: str) -> str:
    """A signature line of a signed note."""
    return f"— {name} {base64.b64encode(key_id(seed, name) + private(seed).sign(text.encode())).decode()}\n"


def witness_key() -> str:
    """The verifier key of the witness (kind 4)."""
    encoded = base64.b64encode(b"\x04" + public(WITNESS_SEED)).decode()
    return f"{WITNESS}+{_witness_id().hex()}+{encoded}"


def cosignature(text: str, time: int) -> str:
    """A witness's cosignature/v1 line over a checkpoint's text."""
    made = private(WITNESS_SEED).sign(f"cosignature/v1\ntime {time}\n{text}".encode())
    blob = _witness_id() + time.to_bytes(8, "big") + made
    return f"— {WITNESS} {base64.b64encode(blob).decode()}\n"


@dataclass
class Log:
    """One log. `leaves` is leaf data (32 bytes each), `files` everything below `{owner}/_log/`, by path."""

    origin: str
    leaves: list[bytes] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    latest: list[bytes] = field(default_factory=list)
    """Every version of `checkpoint`, oldest first."""

    def hashes(self, size: int) -> list[bytes]:
        """Leaf hashes of the tree of this size."""
        return [sha256(b"\x00", leaf) for leaf in self.leaves[:size]]

    def text(self, size: int) -> str:
        """The text of the checkpoint of this size."""
        return f"{self.origin}\n{size}\n{base64.b64encode(root(self.hashes(size))).decode()}\n"

    def publish(self, size: int, seed: int) -> bytes:
        """Tiles, bundles and the checkpoint of this size, which is returned."""
        self._tiles(size)
        text = self.text(size)
        note = f"{text}\n{line(self.origin, seed, text)}".encode()
        self.files[f"checkpoints/{size:012d}"] = note
        self.latest.append(note)
        return note

    def proof(self, index: int, size: int) -> bytes:
        """The `.tlog-proof` file of a leaf in the checkpoint of this size."""
        hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in path(index, self.hashes(size)))
        head = f"c2sp.org/tlog-proof@v1\nindex {index}\n{hashes}\n"
        return head.encode() + self.files[f"checkpoints/{size:012d}"]

    def _tiles(self, size: int) -> None:
        for start in range(0, size, WIDTH):
            part = self.leaves[start : min(start + WIDTH, size)]
            self.files[tile("entries", start // WIDTH, size)] = b"".join(b"\x00\x20" + leaf for leaf in part)
        level, row = 0, self.hashes(size)
        while row:
            for start in range(0, len(row), WIDTH):
                name = tile(str(level), start // WIDTH, size)
                self.files[name] = b"".join(row[start : start + WIDTH])
            whole = len(row) // WIDTH * WIDTH
            row = [root(row[start : start + WIDTH]) for start in range(0, whole, WIDTH)]
            level += 1


def tile(level: str, number: int, size: int) -> str:
    """Where this tile of the tree of `size` lies: `tile/<L>/<N>[.p/<W>]`. Numbers up to 999 will do here."""
    count = size if level == "entries" else size >> 8 * int(level)
    width = count - number * WIDTH
    return f"tile/{level}/{number:03d}" + ("" if width >= WIDTH else f".p/{width}")


def _split(count: int) -> int:
    """The largest power of two that is smaller."""
    return 1 << (count - 1).bit_length() - 1


def _witness_id() -> bytes:
    return sha256(WITNESS.encode() + b"\n\x04" + public(WITNESS_SEED))[:4]
