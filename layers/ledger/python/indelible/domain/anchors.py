# SPDX-License-Identifier: Apache-2.0
"""Paths of external anchors of the ledger's checkpoints: `_ledger/_log/anchors/{size}/{file}`.

Invariant: `parse_anchor_path(file.path(size)) == (size, file)`, and no other path is parsed as that file. A file's name
states its provider and its kind; its content remains to be verified.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["cosignature", "token", "pending", "bitcoin"]
"""A witness's cosignature, an RFC 3161 token, a pending and a completed OpenTimestamps proof."""

TRACK_PREFIXES: dict[Kind, str] = {"cosignature": "witness", "token": "rfc3161", "pending": "ots", "bitcoin": "ots"}
MAX_HEIGHT = (1 << 31) - 1
_SAFE = r"[A-Za-z0-9._-]{1,200}"
_FILE = re.compile(
    rf"witness-(?P<cosignature>{_SAFE})\.cosignature"
    rf"|rfc3161-(?P<token>{_SAFE})\.tsr"
    rf"|ots-(?P<bitcoin>{_SAFE})\.bitcoin-(?P<height>0|[1-9][0-9]{{0,9}})\.ots"
    rf"|ots-(?P<pending>{_SAFE})\.pending\.ots",
    re.ASCII,
)
_PATH = re.compile(r"anchors/([0-9]{12})/([^/]+)", re.ASCII)
DIRECTORY = "anchors/"


@dataclass(frozen=True, slots=True)
class AnchorFile:
    """One anchor of one checkpoint: its kind, its provider's name, and for kind `bitcoin` the block's height."""

    kind: Kind
    name: str
    height: int | None = None

    def __post_init__(self) -> None:
        if re.fullmatch(_SAFE, self.name, re.ASCII) is None:
            raise ValueError("a track's name has 1 to 200 letters, digits, dots, dashes and underscores")
        if (self.height is None) == (self.kind == "bitcoin") or not 0 <= (self.height or 0) <= MAX_HEIGHT:
            raise ValueError("a completed OpenTimestamps proof has a block height, and nothing else has one")

    @property
    def track(self) -> str:
        """The provider with its protocol: `witness-…`, `rfc3161-…` or `ots-…`."""
        return f"{TRACK_PREFIXES[self.kind]}-{self.name}"

    @property
    def file_name(self) -> str:
        """The last part of the path."""
        suffix = {
            "cosignature": "cosignature",
            "token": "tsr",
            "pending": "pending.ots",
            "bitcoin": f"bitcoin-{self.height}.ots",
        }[self.kind]
        return f"{self.track}.{suffix}"

    def path(self, size: int) -> str:
        """The path below the log's prefix, for the checkpoint of this size."""
        return f"{DIRECTORY}{size:012d}/{self.file_name}"


def parse_anchor_file(file_name: str) -> AnchorFile | None:
    """Parse a file's name; None for a name that this ledger does not give."""
    found = _FILE.fullmatch(file_name)
    if found is None:
        return None
    kind: Kind
    for kind in ("cosignature", "token", "bitcoin", "pending"):
        name = found[kind]
        if name is not None:
            height = int(found["height"]) if kind == "bitcoin" else None
            return AnchorFile(kind, name, height) if (height or 0) <= MAX_HEIGHT else None
    return None


def parse_anchor_path(path: str) -> tuple[int, AnchorFile] | None:
    """Checkpoint size and file of a path below the log's prefix; None for any other path."""
    parts = _PATH.fullmatch(path)
    file = parse_anchor_file(parts[2]) if parts else None
    return None if parts is None or file is None else (int(parts[1]), file)


def safe_name(key_name: str) -> str:
    """A witness's key name for use in a file's name: all but letters, digits, dots and dashes becomes `_`."""
    return re.sub(r"[^A-Za-z0-9.-]", "_", key_name)[:200]
