# SPDX-License-Identifier: Apache-2.0
"""A ZIP archive whose entries are stored and not deflated, read in place: any bytes of any entry, nothing unpacked."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from indelible.audit.source import NotEvidence

_LOCAL_HEADER, _SIGNATURE = 30, 4
_BLOCK = 1 << 18
"""Small enough to stay in a processor's cache while its lines are hashed."""


@dataclass(frozen=True, slots=True)
class Area:
    """Where the content of an entry lies in the archive."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """In bytes."""
        return self.end - self.start


class StoredZip:
    """Picklable. Raises NotEvidence for anything else."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.areas: dict[str, Area] = {}
        self._size = path.stat().st_size
        if self.slice(0, _SIGNATURE) != b"PK\x03\x04":
            raise NotEvidence(f"{path} is no evidence bundle: it is not a ZIP archive")
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
            self.names = [entry.filename for entry in entries]
            for entry in entries:
                if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
                    raise NotEvidence(
                        f"{path}: {entry.filename} is compressed or encrypted; a bundle's files never are"
                    )
                self.areas[entry.filename] = self._area(entry)
        except (zipfile.BadZipFile, NotImplementedError, OSError, UnicodeDecodeError, ValueError) as error:
            raise NotEvidence(f"{path} is damaged, or was not copied to its end: {error}") from None

    def slice(self, start: int, end: int) -> bytes:
        """These bytes of the archive. The file is opened anew: nothing stays open, and any process may ask."""
        with self.path.open("rb", buffering=0) as file:
            file.seek(start)
            return file.read(max(0, end - start))

    def read(self, name: str) -> bytes | None:
        """An entry as a whole; None when there is none of this name."""
        area = self.areas.get(name)
        return None if area is None else self.slice(area.start, area.end)

    def sha256(self, name: str) -> str:
        """Of an entry of any length, in hex."""
        area, digest = self.areas[name], hashlib.sha256()
        for start in range(area.start, area.end, _BLOCK):
            digest.update(self.slice(start, min(area.end, start + _BLOCK)))
        return digest.hexdigest()

    def lines_in(self, name: str) -> int:
        """How many lines an entry has; the last one may lack its newline."""
        area, count, last = self.areas[name], 0, b"\n"
        for start in range(area.start, area.end, _BLOCK):
            block = self.slice(start, min(area.end, start + _BLOCK))
            count, last = count + block.count(b"\n"), block[-1:]
        return count + (last != b"\n")

    def line_blocks(self, name: str) -> Iterator[tuple[Area, bytes]]:
        """The entry in blocks of a quarter of a MiB that end where a line ends, and where each of them lies."""
        area = self.areas[name]
        start = area.start
        while start < area.end:
            block = self.slice(start, min(area.end, start + _BLOCK))
            end = block.rfind(b"\n") + 1
            while not end and start + len(block) < area.end:  # a line longer than a block
                more = self.slice(start + len(block), min(area.end, start + len(block) + _BLOCK))
                end = len(block) + more.find(b"\n") + 1 if b"\n" in more else 0
                block += more
            if not block:
                raise NotEvidence(f"{self.path} ends early")
            block = block[: end or len(block)]  # the last line may lack its newline
            yield Area(start, start + len(block)), block
            start += len(block)

    def lines(self, start: int, stop: int, count: int, *, likely: int) -> tuple[list[bytes], int]:
        """So many lines from here on, or as many as there are, and where they end.

        `likely` is how many bytes that may be.
        """
        found = self.slice(start, min(stop, start + likely))
        *lines, rest = found.split(b"\n", count)
        if len(lines) < count and start + len(found) < stop:  # longer lines than is likely
            found += self._more(start + len(found), stop, count - len(lines))
            *lines, rest = found.split(b"\n", count)
        if len(lines) < count and rest:  # the last line may lack its newline
            return [*lines, rest], start + len(found)
        return lines, start + len(found) - len(rest)

    def _more(self, start: int, stop: int, count: int) -> bytes:
        """Blocks with so many newlines, or all that there are."""
        blocks: list[bytes] = []
        while count > 0 and start < stop:
            blocks.append(self.slice(start, min(stop, start + _BLOCK)))
            if not blocks[-1]:
                raise NotEvidence(f"{self.path} ends early")
            start, count = start + len(blocks[-1]), count - blocks[-1].count(b"\n")
        return b"".join(blocks)

    def _area(self, entry: zipfile.ZipInfo) -> Area:
        header = self.slice(entry.header_offset, entry.header_offset + _LOCAL_HEADER)
        if len(header) < _LOCAL_HEADER or not header.startswith(b"PK\x03\x04"):
            raise ValueError(f"{entry.filename} is not where it should be")
        start = entry.header_offset + _LOCAL_HEADER + int.from_bytes(header[26:28], "little")
        start += int.from_bytes(header[28:30], "little")
        if start + entry.file_size > self._size:
            raise ValueError(f"{entry.filename} ends after the archive")
        return Area(start, start + entry.file_size)
