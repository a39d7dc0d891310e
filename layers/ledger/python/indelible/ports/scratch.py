# SPDX-License-Identifier: Apache-2.0
"""Disk space for what does not fit into memory."""

from __future__ import annotations

from typing import BinaryIO, Protocol


class Scratch(Protocol):
    """Temporary files without names."""

    def file(self) -> BinaryIO:
        """An empty file, open for writing and reading. Closing it deletes it; the caller must."""
        ...
