# SPDX-License-Identifier: Apache-2.0
"""The archive of a bundle, read in place: any bytes of any entry, nothing unpacked.

Invariant: what is read has the one form that `domain.archive` writes. Every byte of the file is an entry's content, or
follows from the entries; so no tool sees anything else in it, whether it reads from the front or from the end.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from indelible.audit.files import identity, opened
from indelible.audit.source import NotEvidence
from indelible.domain.archive import END_BYTES, Entry, directory_start, local_header, read_directory

_BLOCK = 1 << 18
"""Small enough to stay in a processor's cache while its lines are hashed."""
_MAGIC = b"PK\x03\x04"
_MOST_DIRECTORY = 64 << 20
"""Bytes of the directory: some hundred thousand files."""


@dataclass(frozen=True, slots=True)
class Area:
    """Where the content of an entry is in the archive, and its CRC-32 as the archive states it."""

    start: int
    end: int
    crc32: int = 0

    @property
    def size(self) -> int:
        """The length in bytes."""
        return self.end - self.start


class StoredZip:
    """Picklable. Raises NotEvidence for a file of another form, and for lines longer than `longest`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.identity = identity(path)
        self.areas: dict[str, Area] = {}
        self.names: list[str] = []
        if self.slice(0, len(_MAGIC)) != _MAGIC:
            raise NotEvidence(f"{path} is no evidence bundle: it is not a ZIP archive")
        try:
            for entry, offset in self._entries():
                start = offset + len(local_header(entry))
                self.names.append(entry.path)
                self.areas[entry.path] = Area(start, start + entry.size, entry.crc32)
        except ValueError as error:
            raise NotEvidence(f"{path} is damaged, or was not copied to its end, or was packed anew: {error}") from None

    def slice(self, start: int, end: int) -> bytes:
        """Bytes of the archive. The file is opened each time: none stays open, and any process may read."""
        if end <= start:
            return b""
        with opened(self.path) as file:
            file.seek(start)
            return file.read(end - start)

    def read(self, name: str, *, most: int) -> bytes | None:
        """A whole entry, but at most `most` + 1 bytes; None where there is none of this name."""
        area = self.areas.get(name)
        return None if area is None else self.slice(area.start, min(area.end, area.start + most + 1))

    def sha256(self, name: str) -> str:
        """SHA-256 of an entry of any length, in hex."""
        return self.digests(name)[0]

    def lines_in(self, name: str) -> int:
        """How many lines an entry has; the last one may lack its newline."""
        area, count, last = self.areas[name], 0, b"\n"
        for start in range(area.start, area.end, _BLOCK):
            block = self.slice(start, min(area.end, start + _BLOCK))
            count, last = count + block.count(b"\n"), block[-1:]
        return count + (last != b"\n")

    def digests(self, name: str) -> tuple[str, int]:
        """SHA-256 in hex, and CRC-32, of an entry of any length."""
        area, digest, crc32 = self.areas[name], hashlib.sha256(), 0
        for start in range(area.start, area.end, _BLOCK):
            block = self.slice(start, min(area.end, start + _BLOCK))
            digest.update(block)
            crc32 = zlib.crc32(block, crc32)
        return digest.hexdigest(), crc32

    def line_blocks(self, name: str, *, longest: int) -> Iterator[tuple[Area, bytes]]:
        """The entry in blocks of a quarter of a MiB that end where a line ends, each with its place."""
        area = self.areas[name]
        start = area.start
        while start < area.end:
            block = self._block(start, area.end)
            end = block.rfind(b"\n") + 1
            if not end and start + len(block) < area.end:  # a line longer than a block
                block += self._more(start + len(block), area.end, 1, most=longest - len(block))
                end = block.find(b"\n", 0, longest + 1) + 1
            if len(block) > longest and not end:
                raise NotEvidence(f"{self.path}: {name} has a line of more than {longest:,} bytes")
            block = block[: end or len(block)]  # the last line may lack its newline
            yield Area(start, start + len(block)), block
            start += len(block)

    def lines(self, start: int, stop: int, count: int, *, likely: int, longest: int) -> tuple[list[bytes], int]:
        """So many lines from here on, or as many as there are, and where they end.

        `likely` is how many bytes that may be. Where they are more than `longest` bytes, too, there are fewer lines,
        but always one.
        """
        found = self.slice(start, min(stop, start + min(likely, longest)))
        *lines, rest = found.split(b"\n", count)
        if len(lines) < count and start + len(found) < stop:  # longer lines than is likely
            found += self._more(start + len(found), stop, count - len(lines), most=longest - len(found))
            *lines, rest = found.split(b"\n", count)
        if len(lines) < count and rest and start + len(found) == stop:  # the last line may lack its newline
            lines, rest = [*lines, rest], b""
        if (not lines and start < stop) or (len(found) > longest and max(map(len, lines)) > longest):
            raise NotEvidence(f"{self.path} has a line of more than {longest:,} bytes")
        return lines, start + len(found) - len(rest)

    def _more(self, start: int, stop: int, count: int, *, most: int) -> bytes:
        """Blocks up to `count` newlines, the end, or a little more than `most` bytes."""
        blocks: list[bytes] = []
        size = 0
        while count > 0 and start < stop and size <= most:
            blocks.append(self._block(start, stop))
            start, size = start + len(blocks[-1]), size + len(blocks[-1])
            count -= blocks[-1].count(b"\n")
        return b"".join(blocks)

    def _block(self, start: int, stop: int) -> bytes:
        block = self.slice(start, min(stop, start + _BLOCK))
        if not block:
            raise NotEvidence(f"{self.path} ends early")
        return block

    def _entries(self) -> list[tuple[Entry, int]]:
        """The entries and their offsets. Raises ValueError for a file of another form."""
        with opened(self.path) as file:
            length = file.seek(0, os.SEEK_END)
            file.seek(max(0, length - END_BYTES))
            start = directory_start(file.read(END_BYTES))
            if not 0 <= length - start <= _MOST_DIRECTORY:
                raise ValueError("its directory is not where it should be, or longer than any is")
            file.seek(start)
            placed = read_directory(file.read(length - start), start)
            for entry, offset in placed:
                file.seek(offset)
                header = local_header(entry)
                if file.read(len(header)) != header:
                    raise ValueError("an entry is not what the directory says of it")
        return placed
