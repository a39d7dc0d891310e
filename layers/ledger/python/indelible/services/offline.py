# SPDX-License-Identifier: Apache-2.0
"""Substitutes for the parts of a ledger that are not there, or not used, where evidence alone is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from indelible.domain.record import EMPTY_CHAIN, Head


class NoTable:
    """An empty JournalReader: the outbox explains no record that is not in the evidence."""

    def head(self, org_id: str) -> Head:  # noqa: ARG002
        """The head of an empty chain, so that none is expected."""
        return EMPTY_CHAIN

    def outbox(self, org_id: str, sequences: Sequence[int]) -> dict[int, bytes]:  # noqa: ARG002
        """No record is in the outbox."""
        return {}


class NoLog:
    """Empty StoredLogFiles, for a source that has none, or none that could be checked."""

    def read(self, owner: str, path: str) -> bytes | None:  # noqa: ARG002
        """No file of this path."""
        return None

    def sizes(self, owner: str, *, at_least: int) -> Iterator[int]:  # noqa: ARG002
        """No checkpoints."""
        return iter(())

    def checkpoints(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:  # noqa: ARG002
        """No checkpoints."""
        return iter(())
