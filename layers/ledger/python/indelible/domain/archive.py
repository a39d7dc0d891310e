# SPDX-License-Identifier: Apache-2.0
"""ZIP files with stored, uncompressed entries, in exactly one form for the same entries (APPNOTE.TXT 6.3.10).

Invariant: the bytes depend on names, lengths and contents alone, not on a clock, an operating system or a compressor,
whose output differs between versions of zlib. Lengths and CRCs are in the local headers, so an archive of any length is
written in one pass, also into a pipe or an upload. Reading accepts nothing else: not a byte before, between or after
what follows from the entries.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_ELSEWHERE = 0xFFFF_FFFF
"""In a 32-bit field: the value is in the ZIP64 fields."""
_LIMIT = _ELSEWHERE
_MOST_ENTRIES = 0xFFFF
_DOS_DATE = (1 << 5) | 1
"""1980-01-01, the earliest date of the format; the time is 0."""
_UNIX = 3 << 8
_READABLE = 0o100644 << 16
_PLAIN, _ZIP64 = 20, 45
_END, _WIDE_END, _LOCATOR, _CENTRAL = 22, 56, 20, 46
"""Lengths of the records at the end, and of the fixed part of an entry in the central directory."""
END_BYTES = _WIDE_END + _LOCATOR + _END
"""Bytes at the end of an archive, at most, that state where its central directory begins."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file: its name (ASCII), its length in bytes, and its CRC-32, which detects only accidental damage."""

    path: str
    size: int
    crc32: int


def entry_of(path: str, data: bytes) -> Entry:
    """The entry for a file with this content."""
    return Entry(path, len(data), zlib.crc32(data))


def archive(files: Iterable[tuple[Entry, Iterable[bytes]]]) -> Iterator[bytes]:
    """The bytes of an archive, in pieces. `files` are the entries in order, each with its content in pieces.

    Raises ValueError if a content does not match its entry; the bytes yielded until then are not an archive.
    """
    directory: list[bytes] = []
    offset = 0
    for entry, content in files:
        header = local_header(entry)
        yield header
        crc, size = 0, 0
        for piece in content:
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            yield piece
        if (crc, size) != (entry.crc32, entry.size):
            raise ValueError(f"{entry.path} is not what its entry says")
        directory.append(_central(entry, offset))
        offset += len(header) + size
    yield from directory
    yield _end(len(directory), sum(map(len, directory)), offset)


def directory_start(end: bytes) -> int:
    """The offset of the central directory, from the last `END_BYTES` of an archive (or all of a shorter one).

    Raises ValueError if they are not the end of an archive. The offset is not trustworthy before `read_directory`.
    """
    narrow, wide = end[-_END:], end[-END_BYTES:]
    if len(narrow) < _END or not narrow.startswith(b"PK\x05\x06"):
        raise ValueError("it does not end as an archive does")
    if len(wide) == END_BYTES and wide.startswith(b"PK\x06\x06") and wide[_WIDE_END:].startswith(b"PK\x06\x07"):
        return int.from_bytes(wide[48:56], "little")
    return int.from_bytes(narrow[16:20], "little")


def read_directory(data: bytes, start: int) -> list[tuple[Entry, int]]:
    """The entries and the offset of each. `data` are the bytes from `start`, where the directory begins, to the end.

    Raises ValueError for anything but what `archive` writes after entries that fill the bytes from 0 to `start`.
    """
    placed: list[tuple[Entry, int]] = []
    place = offset = 0
    while data.startswith(b"PK\x01\x02", place):
        entry, length = _read_central(data, place)
        placed.append((entry, offset))
        place, offset = place + length, offset + len(local_header(entry)) + entry.size
        if offset > start:
            raise ValueError("its entries are longer than the archive")
    made = b"".join(_central(entry, offset) for entry, offset in placed)
    if offset != start or data != made + _end(len(placed), len(made), start):
        raise ValueError("its directory is not the one that follows from its entries")
    return placed


def _read_central(data: bytes, place: int) -> tuple[Entry, int]:
    """An entry of the central directory, and its length there. Raises ValueError."""
    fixed = data[place : place + _CENTRAL]
    if len(fixed) < _CENTRAL:
        raise ValueError("its directory ends early")
    flags, method, _, _, crc32, _, size, name_length, extra_length = struct.unpack("<HHHHLLLHH", fixed[8:32])
    extra = place + _CENTRAL + name_length
    if method or flags & 1:
        raise ValueError("a file in it is compressed or encrypted; a bundle's files never are")
    if size == _ELSEWHERE:
        size = int.from_bytes(data[extra + 4 : extra + 12], "little")
    path = data[place + _CENTRAL : extra].decode("ascii")
    return Entry(path, size, crc32), _CENTRAL + name_length + extra_length


def local_header(entry: Entry) -> bytes:
    """The bytes before the content of an entry."""
    name = entry.path.encode("ascii")
    big = entry.size >= _LIMIT
    extra = struct.pack("<HHQQ", 1, 16, entry.size, entry.size) if big else b""
    size = _ELSEWHERE if big else entry.size
    version = _ZIP64 if big else _PLAIN
    fields = (version, 0, 0, 0, _DOS_DATE, entry.crc32, size, size, len(name), len(extra))
    return b"PK\x03\x04" + struct.pack("<HHHHHLLLHH", *fields) + name + extra


def _central(entry: Entry, offset: int) -> bytes:
    name = entry.path.encode("ascii")
    big, far = entry.size >= _LIMIT, offset >= _LIMIT
    wide = ([entry.size, entry.size] if big else []) + ([offset] if far else [])
    extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    size = _ELSEWHERE if big else entry.size
    version = _ZIP64 if wide else _PLAIN
    fields = (_UNIX | version, version, 0, 0, 0, _DOS_DATE, entry.crc32, size, size, len(name), len(extra), 0, 0, 0)
    placed = struct.pack("<LL", _READABLE, _ELSEWHERE if far else offset)
    return b"PK\x01\x02" + struct.pack("<HHHHHHLLLHHHHH", *fields) + placed + name + extra


def _end(count: int, size: int, offset: int) -> bytes:
    wide = count >= _MOST_ENTRIES or size >= _LIMIT or offset >= _LIMIT
    end = b""
    if wide:
        versions = (_UNIX | _ZIP64, _ZIP64)
        end += b"PK\x06\x06" + struct.pack("<QHHLLQQQQ", 44, *versions, 0, 0, count, count, size, offset)
        end += b"PK\x06\x07" + struct.pack("<LQL", 0, offset + size, 1)
    short = min(count, _MOST_ENTRIES)
    narrow = (_ELSEWHERE if value >= _LIMIT else value for value in (size, offset))
    return end + b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, short, short, *narrow, 0)
