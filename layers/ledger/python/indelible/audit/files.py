# SPDX-License-Identifier: Apache-2.0
"""Open files of the evidence so that none can block the reader for ever.

Invariant: only regular files are read, and no more bytes than the caller asked for: a pipe without a writer or a device
never ends.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from indelible.audit.source import NotEvidence


def opened(path: Path) -> BinaryIO:
    """Open a file for reading, unbuffered. Raises NotEvidence for what is no regular file, and OSError."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    mode = os.fstat(handle).st_mode
    if stat.S_ISDIR(mode):
        os.close(handle)
        raise IsADirectoryError(f"{path} is a directory")
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise NotEvidence(f"{path} is no regular file, and a copy of a bucket has no others")
    return os.fdopen(handle, "rb", buffering=0)


def bounded(path: Path, most: int) -> bytes:
    """The whole file, but at most `most` + 1 bytes. Raises as `opened`."""
    with opened(path) as file:
        size = min(os.fstat(file.fileno()).st_size, most + 1)
        return file.read(size)


def identity(path: Path) -> str:
    """Size, time of the last write (ns) and inode, as text: different once the file was written to or replaced.

    Raises OSError.
    """
    found = path.stat()
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"
