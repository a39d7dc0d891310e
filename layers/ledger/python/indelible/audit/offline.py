# SPDX-License-Identifier: Apache-2.0
"""What stands in for the parts of a ledger that an auditor does not have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from indelible.domain.record import EMPTY_CHAIN, Head, Record
from indelible.domain.tiles import File
from indelible.ports import Idempotency


class NoTable:
    """A Journal of which nobody asks anything but what it remembers, which is nothing."""

    def head(self, org_id: str) -> Head:  # noqa: ARG002
        """No promise."""
        return EMPTY_CHAIN

    def outbox(self, org_id: str, sequences: Sequence[int]) -> dict[int, bytes]:  # noqa: ARG002
        """Nothing waits."""
        return {}

    def commit(self, head: Head, records: Sequence[Record], idempotency: Idempotency | None, now_ms: int) -> None:
        """Never asked of an auditor."""
        raise NotImplementedError

    def clear(self, org_id: str, sequences: Sequence[int]) -> None:
        """Never asked of an auditor."""
        raise NotImplementedError


class NoLog:
    """Log files of a source in which there are none, or none that could be checked."""

    def read(self, owner: str, path: str) -> bytes | None:  # noqa: ARG002
        """None."""
        return None

    def current(self, owner: str, path: str) -> bytes | None:  # noqa: ARG002
        """None."""
        return None

    def sizes(self, owner: str, *, at_least: int) -> Iterator[int]:  # noqa: ARG002
        """None."""
        return iter(())

    def write(self, owner: str, files: Sequence[File], *, retain_until_ms: int) -> None:
        """Never asked of an auditor."""
        raise NotImplementedError

    def latest(self, owner: str, note: bytes, *, size: int, retain_until_ms: int) -> None:
        """Never asked of an auditor."""
        raise NotImplementedError
