# SPDX-License-Identifier: Apache-2.0
"""A file of a bundle while it is being made: on disk, with its length and checksums computed on the way."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from indelible.domain.archive import Entry
from indelible.domain.bundle import Listed

_PIECE = 1024 * 1024


class Spool:
    """Written once, sequentially; then read any number of times."""

    def __init__(self, path: str, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._size = 0
        self._crc32 = 0
        self._sha256 = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._file.write(data)
        self._size += len(data)
        self._crc32 = zlib.crc32(data, self._crc32)
        self._sha256.update(data)

    @property
    def entry(self) -> Entry:
        """Its entry in the archive."""
        return Entry(self._path, self._size, self._crc32)

    @property
    def listed(self) -> Listed:
        """Its entry in the manifest."""
        return Listed(bytes=self._size, sha256=self._sha256.hexdigest())

    def pieces(self) -> Iterator[bytes]:
        """The content, in pieces of at most 1 MiB."""
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            yield piece

    def lines(self) -> Iterator[bytes]:
        """The content line by line, without the newlines."""
        self._file.seek(0)
        for line in self._file:
            yield line.removesuffix(b"\n")

    def close(self) -> None:
        """Free the disk space."""
        self._file.close()
