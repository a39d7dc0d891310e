# SPDX-License-Identifier: Apache-2.0
"""The client for applications whose recording is switched off. It sends nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self


class StubLedgerClient:
    """Has every method of LedgerClient and records nothing.

    Receipts and proofs are empty dicts; in a verdict `valid` is None and nothing is counted as checked.
    """

    def record(self, event: Mapping[str, Any], *, idempotency_key: str | None = None) -> dict[str, Any]:  # noqa: ARG002
        """Return an empty receipt."""
        return {}

    def record_batch(
        self,
        events: Sequence[Mapping[str, Any]],
        *,
        idempotency_key: str | None = None,  # noqa: ARG002
    ) -> list[dict[str, Any]]:
        """Return an empty receipt for each event."""
        return [{} for _ in events]

    def prove(self, *, audit_id: str | None = None, tx_hash: str | None = None) -> dict[str, Any]:  # noqa: ARG002
        """Return an empty answer."""
        return {}

    def consistency(
        self,
        old_size: int,  # noqa: ARG002
        new_size: int,  # noqa: ARG002
        *,
        log: Literal["organisation", "ledger"] = "organisation",  # noqa: ARG002
    ) -> dict[str, Any]:
        """Return an empty answer."""
        return {}

    def verify(self, **asked: int | str) -> dict[str, Any]:  # noqa: ARG002
        """Return a verdict that says that nothing was checked."""
        return {
            "valid": None,
            "entries_checked": 0,
            "first_broken_at": None,
            "verification_time_ms": 0,
            "failures": [],
            "failures_total": 0,
            "pending": [],
            "complete": True,
            "next_seq": None,
            "checkpoint": None,
        }

    def export(self, **asked: int | str) -> dict[str, Any]:  # noqa: ARG002
        """Return an empty answer."""
        return {}

    def close(self) -> None:
        """Do nothing: no connection is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return
