# SPDX-License-Identifier: Apache-2.0
"""Writing the files that commands produce.

Invariant: a file appears under its name complete or not at all, however the command ends, and replaces nothing but a
regular file. Its permissions follow the user's umask.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from indelible.audit.source import NotEvidence

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Values of `OSError.errno` that mean that there is no room for the file."""


def refuse_special_file(output: Path) -> None:
    """Raises NotEvidence if the name belongs to a device, a pipe or a directory."""
    if output.exists() and not output.is_file():
        raise NotEvidence(f"{output} exists and is not a regular file; choose another name")


@contextmanager
def atomic_file(output: Path) -> Iterator[BinaryIO]:
    """A temporary file in the same directory, renamed to `output` when the block ends without an exception.

    Raises NotEvidence as `refuse_special_file` does, and when there is no room for the file.
    """
    refuse_special_file(output)
    temporary = output.with_name(f".{secrets.token_hex(8)}.new")
    handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "w+b") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(output)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            raise NotEvidence(f"{output}: {error.strerror}") from None
        raise
