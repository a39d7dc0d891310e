# SPDX-License-Identifier: Apache-2.0
"""The head that an execution environment builds on, read from the table only where it may have changed.

A warm environment that is the only writer never reads the head: the copy from its last commit is right, and where it is
not, the commit's condition fails. With two environments that take turns, a copy would lose every first attempt. So
after a lost race the head is read, until it turns out to be our own again.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from indelible.domain import record
from indelible.domain.record import Head
from indelible.errors import HeadRegressed
from indelible.ports import Journal, RecordStore

_MOST_ORGANISATIONS = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    head: Head
    alone: bool


class Heads:
    """One for each execution environment."""

    def __init__(self, *, journal: Journal, records: RecordStore) -> None:
        self._journal = journal
        self._records = records
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def take(self, org_id: str) -> Head:
        """The head to build on.

        Raises HeadRegressed when the bucket has a record beyond it, or this environment has seen a later head.
        """
        known = self._known.get(org_id)
        if known is None:
            head = confirmed_head(self._journal, self._records, org_id)
            self._remember(org_id, head, alone=True)
            return head
        if known.alone:
            return known.head
        head = self._journal.head(org_id)
        self._refuse_older(org_id, known.head, head)
        self._remember(org_id, head, alone=head == known.head)
        return head

    def won(self, org_id: str, head: Head) -> None:
        """Note that our own commit made this the head."""
        known = self._known.get(org_id)
        self._remember(org_id, head, alone=known is None or known.alone)

    def lost(self, org_id: str, head: Head | None) -> Head:
        """Note that another writer moved the head, to `head` if it is known; returns the one to try next."""
        known = self._known.get(org_id)
        if head is None:
            head = self._journal.head(org_id)
        if known is not None:
            self._refuse_older(org_id, known.head, head)
        self._remember(org_id, head, alone=False)
        return head

    def _refuse_older(self, org_id: str, known: Head, now: Head) -> None:
        try:
            refuse_older(known, now)
        except HeadRegressed:
            del self._known[org_id]  # after a rebuild, start again with the check of the bucket
            raise

    def _remember(self, org_id: str, head: Head, *, alone: bool) -> None:
        self._known[org_id] = _Known(head, alone)
        self._known.move_to_end(org_id)
        if len(self._known) > _MOST_ORGANISATIONS:
            self._known.popitem(last=False)


def confirmed_head(journal: Journal, records: RecordStore, org_id: str) -> Head:
    """The table's head, once the bucket confirms that it has no record beyond it.

    A table that was restored from a backup has an old head, and building on it would fork the chain. The bucket cannot
    be set back, and shows that. For a record that another writer has just added, the head is read again, which then
    covers it. One check for each environment is enough: a restored table is a new table, with new environments.

    Raises HeadRegressed.
    """
    head = journal.head(org_id)
    key = records.first_key_after(org_id, record.key_after(org_id, head))
    found = record.parse_key(key) if key else None
    if found is None:
        return head
    again = journal.head(org_id)
    if again.sequence < found.sequence:
        raise _regressed(found.sequence, again.sequence)
    return again


def refuse_older(known: Head, now: Head) -> None:
    """Raise HeadRegressed when the head is before a known one, or has another hash for the same sequence."""
    if now.sequence < known.sequence or (now.sequence == known.sequence and now.tx_hash != known.tx_hash):
        raise _regressed(known.sequence, now.sequence)


def _regressed(seen: int, head: int) -> HeadRegressed:
    return HeadRegressed(
        f"record {seen} exists, but the table's head is at {head}: recording is off until the table is rebuilt"
    )
