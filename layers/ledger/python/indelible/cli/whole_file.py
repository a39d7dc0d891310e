# SPDX-License-Identifier: Apache-2.0
"""Files that a command writes.

Invariant: under its name a file is there as a whole or not at all, whenever the command ends.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast


@contextmanager
def whole_file(output: Path) -> Iterator[BinaryIO]:
    """A file beside it, which takes its name when it is finished."""
    handle, name = tempfile.mkstemp(prefix=f".{output.name}.", dir=output.parent)
    try:
        with open(handle, "w+b") as out:  # noqa: PTH123 -- it is open already
            yield cast("BinaryIO", out)
            out.flush()
            os.fsync(out.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(output)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
