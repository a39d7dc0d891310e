# SPDX-License-Identifier: Apache-2.0
"""The head that an environment may try next, without asking where it can know.

A warm environment that is alone never reads the head: the copy from its last commit is right, and where it is
not, the commit's condition says so. With two environments taking turns a copy would lose every first try, so
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
    """One per environment."""

    def __init__(self, *, journal: Journal, records: RecordStore) -> None:
        self._journal = journal
        self._records = records
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def take(self, org_id: str) -> Head:
        """The head to build on.

        Raises HeadRegressed when the bucket or this environment has seen a later one.
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
        """Our commit made this the head."""
        known = self._known.get(org_id)
        self._remember(org_id, head, alone=known is None or known.alone)

    def lost(self, org_id: str, head: Head | None) -> Head:
        """Somebody else moved the head; returns the one to try next."""
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
            del self._known[org_id]  # after a rebuild the first-time check decides anew
            raise

    def _remember(self, org_id: str, head: Head, *, alone: bool) -> None:
        self._known[org_id] = _Known(head, alone)
        self._known.move_to_end(org_id)
        if len(self._known) > _MOST_ORGANISATIONS:
            self._known.popitem(last=False)


def confirmed_head(journal: Journal, records: RecordStore, org_id: str) -> Head:
    """The table's head, confirmed by the bucket: no record lies beyond it.

    A table restored from a backup has an old head, and building on it would fork the chain. The bucket tells: it
    cannot go back. A record that another environment has just written is told apart by reading the head again,
    which then covers it. An environment outlives no restore: a restored table is a new table.

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
    """Raises HeadRegressed when the head is behind, or beside, what was known to be committed."""
    if now.sequence < known.sequence or (now.sequence == known.sequence and now.tx_hash != known.tx_hash):
        raise _regressed(known.sequence, now.sequence)


def _regressed(seen: int, head: int) -> HeadRegressed:
    return HeadRegressed(
        f"record {seen} exists, but the table's head is at {head}: recording is off until the table is rebuilt"
    )
