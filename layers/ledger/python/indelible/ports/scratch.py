# SPDX-License-Identifier: Apache-2.0
"""Room for what does not fit into memory."""

from __future__ import annotations

from typing import BinaryIO, Protocol


class Scratch(Protocol):
    """Files without a name, for the time of one task."""

    def file(self) -> BinaryIO:
        """An empty file to write and read; it is gone when it is closed."""
        ...
