# SPDX-License-Identifier: Apache-2.0
"""What stands in for the parts of a ledger that whoever reads evidence alone does not have, or does not ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from indelible.domain.record import EMPTY_CHAIN, Head


class NoTable:
    """A JournalReader that remembers nothing: what is not in the evidence is not explained."""

    def head(self, org_id: str) -> Head:  # noqa: ARG002
        """No promise."""
        return EMPTY_CHAIN

    def outbox(self, org_id: str, sequences: Sequence[int]) -> dict[int, bytes]:  # noqa: ARG002
        """Nothing waits."""
        return {}


class NoLog:
    """StoredLogFiles of a source in which there are none, or none that could be checked."""

    def read(self, owner: str, path: str) -> bytes | None:  # noqa: ARG002
        """None."""
        return None

    def sizes(self, owner: str, *, at_least: int) -> Iterator[int]:  # noqa: ARG002
        """None."""
        return iter(())

    def checkpoints(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:  # noqa: ARG002
        """None."""
        return iter(())
