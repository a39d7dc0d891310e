# SPDX-License-Identifier: Apache-2.0
"""The table: the head of each chain, the outbox, and the hints that make finding things cheap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from indelible.domain.record import Head, Record
from indelible.ports.organisations import Page


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A caller's key, hashed (hex SHA-256), and the first event of its request that a commit covers."""

    key_hash: str
    request_hash: str
    start: int = 0


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an idempotency key stands for: the request and the records it made, in order.

    `tx_hash` (hex SHA-256) is of the last of them: each names the one before it, so it stands for all.
    """

    request_hash: str
    audit_ids: tuple[str, ...]
    tx_hash: str


class HeadMoved(Exception):
    """The head was not what the commit expected. `head` is what it is now, None when only a race is known."""

    def __init__(self, head: Head | None) -> None:
        super().__init__("the head moved")
        self.head = head


class AlreadyRecorded(Exception):
    """The idempotency key is taken."""

    def __init__(self, remembered: Remembered) -> None:
        super().__init__("the idempotency key is taken")
        self.remembered = remembered


class JournalReader(Protocol):
    """What the table promises: the head of each chain, and what is committed but perhaps not yet sealed."""

    def head(self, org_id: str) -> Head:
        """The head now (a consistent read); `EMPTY_CHAIN` before the first record.

        Raises HeadRegressed where it cannot be read: rebuild it.
        """
        ...

    def outbox(self, org_id: str, sequences: Sequence[int]) -> dict[int, bytes]:
        """The bytes of those records that are still in the outbox, by sequence, ascending (a consistent read).

        A sequence may be asked for more than once.
        """
        ...


class Journal(JournalReader, Protocol):
    """The head of each chain, and the outbox, for whoever moves them."""

    def commit(self, head: Head, records: Sequence[Record], idempotency: Idempotency | None, now_ms: int) -> None:
        """Move the head from `head` past `records`, all or nothing: the linearization point of the ledger.

        In one transaction: the head, on condition that its sequence *and* hash are unchanged; an outbox entry
        for each record; the idempotency key, on condition that it is not taken; the day, when it turned.

        An idempotency key is remembered for 30 days. Raises AlreadyRecorded (before HeadMoved, where both hold),
        HeadMoved, or HeadRegressed where the outbox has a record for the next sequence already or the head cannot
        be read; then nothing was written.
        """
        ...

    def clear(self, org_id: str, sequences: Sequence[int]) -> None:
        """Delete outbox entries. Only for records that were re-read from the store."""
        ...


MAX_RECORDS_PER_COMMIT = 97
"""DynamoDB takes 100 actions in a transaction; head, day and idempotency key need three."""

MAX_BYTES_PER_COMMIT = 3_500_000
"""DynamoDB takes 4 MB in a transaction; the rest is for keys and attribute names."""


class Index(Protocol):
    """tx_hash → audit_id. A convenience: lost entries are put back by the anchor, wrong ones are noticed."""

    def put(self, record: Record) -> None:
        """Remember where the record with this hash stands."""
        ...

    def find(self, org_id: str, tx_hash: str) -> str | None:
        """The audit_id, or None."""
        ...

    def repair(self, records: Sequence[Record]) -> int:
        """Put back the entries that are missing among these; returns how many were."""
        ...


class News(Protocol):
    """Which organisations have new records. Markers may be lost: the hourly sweep does not need them."""

    def mark(self, org_id: str, now_ms: int) -> None:
        """Say that the organisation has news."""
        ...

    def recent(self, now_ms: int, after: str | None, *, limit: int) -> Page:
        """The next `limit` organisations that were marked in the last quarter of an hour, in no order.

        `after` remembers which quarter of an hour that was: every page of a round is one of the same list.
        """
        ...
