# SPDX-License-Identifier: Apache-2.0
"""Files that a command writes.

Invariant: under its name a file is there as a whole or not at all, whenever the command ends; and nothing but a file is
ever replaced by it. Who may read it is what the user's umask says.
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

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Of an OSError: there is no room for what is written."""


def refuse_others(output: Path) -> None:
    """Raises NotEvidence where something else than a file has the name: a device, a pipe, a directory."""
    if output.exists() and not output.is_file():
        raise NotEvidence(f"{output} exists, and is no regular file: name another")


@contextmanager
def whole_file(output: Path) -> Iterator[BinaryIO]:
    """A file beside it, which takes its name when it is finished.

    Raises NotEvidence as `refuse_others`, and where there is no room for it.
    """
    refuse_others(output)
    fresh = output.with_name(f".{secrets.token_hex(8)}.new")
    handle = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "w+b") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(output)
    except BaseException as error:
        fresh.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in FULL:
            raise NotEvidence(f"{output}: {error.strerror}") from None
        raise
