# SPDX-License-Identifier: Apache-2.0
"""When the schedule last began a round, so that a pending proof can say when the next one begins."""

from __future__ import annotations

from typing import Protocol


class RoundStarts(Protocol):
    """One instant. A convenience: lost or wrong, it misleads nobody but about when to ask again."""

    def begin(self, now_ms: int) -> None:
        """A round that the schedule starts at its rate begins now."""
        ...

    def last(self) -> int | None:
        """When the last one began, in milliseconds since 1970; None when none has."""
        ...
