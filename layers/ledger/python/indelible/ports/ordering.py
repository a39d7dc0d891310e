# SPDX-License-Identifier: Apache-2.0
"""The table: the head of each chain, the outbox, and hints that make look-ups cheap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from indelible.domain.record import Head, Record
from indelible.ports.organisations import Page


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A client's idempotency key, for one commit."""

    key_hash: str
    """SHA-256 of the key, in hex."""
    request_hash: str
    """SHA-256 over the events of the request, in hex."""
    start: int = 0
    """The index of the first event of the request that this commit covers."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is stored under an idempotency key: the request, and the records that its commit made."""

    request_hash: str
    audit_ids: tuple[str, ...]
    """In the order of the events."""
    tx_hash: str
    """SHA-256 of the last record, in hex. Each record names the one before it, so this hash commits to all."""


class HeadMoved(Exception):
    """The head is not what the commit expected. `head` is the head now; None when only a conflict is known."""

    def __init__(self, head: Head | None) -> None:
        super().__init__("the head moved")
        self.head = head


class AlreadyRecorded(Exception):
    """The idempotency key is taken, perhaps by an earlier attempt of the same request."""

    def __init__(self, remembered: Remembered) -> None:
        super().__init__("the idempotency key is taken")
        self.remembered = remembered


class JournalReader(Protocol):
    """What the table promises: the head of each chain, and what is committed but perhaps not yet sealed."""

    def head(self, org_id: str) -> Head:
        """The head now (a consistent read); `EMPTY_CHAIN` before the first record.

        Raises HeadRegressed where the item cannot be parsed: rebuild the table.
        """
        ...

    def outbox(self, org_id: str, sequences: Sequence[int]) -> dict[int, bytes]:
        """The bytes of those records that are still in the outbox, by sequence, ascending (a consistent read).

        A sequence may be asked for more than once.
        """
        ...


class Journal(JournalReader, Protocol):
    """The head of each chain, and the outbox, for writers."""

    def commit(self, head: Head, records: Sequence[Record], idempotency: Idempotency | None, now_ms: int) -> None:
        """Move the head from `head` past `records`, all or nothing: the linearization point of the ledger.

        One transaction writes the head, on condition that its sequence *and* hash are unchanged; an outbox entry for
        each record; the idempotency key, on condition that it is not taken; and the day, where it has turned. An
        idempotency key is kept for 30 days from `now_ms` (Unix milliseconds).

        At most MAX_RECORDS_PER_COMMIT records of one organisation, which follow `head` and each other.

        Not idempotent by itself: after Unavailable, repeat the same call, and look for HeadMoved to the last record.

        Raises AlreadyRecorded (rather than HeadMoved, where both apply), HeadMoved, or HeadRegressed where the outbox
        has a record for one of these sequences already or the head cannot be parsed. Then nothing was written.
        """
        ...

    def clear(self, org_id: str, sequences: Sequence[int]) -> None:
        """Delete outbox entries. Idempotent. The caller must have read each record back from the bucket before."""
        ...


MAX_RECORDS_PER_COMMIT = 97
"""DynamoDB allows 100 actions in a transaction; head, day and idempotency key take three."""

MAX_BYTES_PER_COMMIT = 3_500_000
"""DynamoDB allows 4 MB in a transaction; the rest is for keys and attribute names."""


class Index(Protocol):
    """tx_hash → audit_id. A hint: the anchor puts back entries that are lost, and readers notice wrong ones."""

    def put(self, record: Record) -> None:
        """Put the entry of a record. Idempotent."""
        ...

    def find(self, org_id: str, tx_hash: str) -> str | None:
        """The audit_id of the organisation's record with this hash (hex); None where there is no entry.

        A consistent read: whoever has a receipt may ask at once.
        """
        ...

    def repair(self, records: Sequence[Record]) -> int:
        """Put the entries of these records that are missing; returns how many were."""
        ...


class News(Protocol):
    """Which organisations have new records. A hint: the hourly sweep finds those whose marker was lost."""

    def mark(self, org_id: str, now_ms: int) -> None:
        """Mark the organisation as having new records at `now_ms` (Unix milliseconds). Idempotent."""
        ...

    def recent(self, now_ms: int, after: str | None, *, limit: int) -> Page:
        """A page of up to `limit` organisations that were marked in the last quarter of an hour, in no order.

        `after` is None for the first page. It also carries which quarter of an hour is meant: all pages of a round are
        of the same list.
        """
        ...
