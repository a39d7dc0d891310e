# SPDX-License-Identifier: Apache-2.0
"""What an organisation's evidence says the table must be: one walk along its records, then along its outbox.

Invariant: nothing is taken from the table but what waits in the outbox, and of that only what continues the chain. A
record that is committed and not yet sealed has no other copy, so the head must lie beyond it; everything else follows
from the bucket. The walk may run while the ledger records: each look at the bucket comes with one at the outbox and a
second one at the bucket, because the anchor empties the outbox only of what it has read there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile

from indelible.domain import instants, record
from indelible.domain.audit_id import MAX_SEQUENCE
from indelible.domain.chain import ChainChecker
from indelible.domain.checkpoint import Checkpoint
from indelible.domain.findings import Failure, FailureCode, Promise, in_order
from indelible.domain.ledger import LedgerLeaf, leaf_data
from indelible.domain.note import NoteError
from indelible.domain.record import EMPTY_CHAIN, Head, Record
from indelible.errors import EvidenceBroken
from indelible.ports import Clock, IndexEntry, Inventory, Journal, KeyVersions, RecordStore, TableRepair
from indelible.services.log import LogReader
from indelible.services.roots import Roots
from indelible.services.specimen import specimen

CHUNK = 1000
"""Records read, and looked up in the table, at a time."""

_OUTBOX_CHUNK = 100
_ROUNDS = 3
"""Looks beyond the end, while each finds more: a ledger that records all the time would never be caught up with."""


@dataclass(frozen=True, slots=True)
class Survey:
    """The evidence, as the table should have it.

    `ends` are the possible heads: several only where the chain forks at its end, none where it is empty. `covered` is
    the record at the end of the last published `checkpoint`; `uncleared` the first sequence whose outbox entry is
    still there. `ever_covered` are the records at the ends of all published checkpoints; `signed_size` is the largest
    size with a good signature, whatever the records say. `unlogged` checkpoints have no proof in the ledger's log.
    """

    ends: tuple[Head, ...] = ()
    sealed: int = 0
    waiting: int = 0
    first_at_ms: int | None = None
    days: dict[str, int] = field(default_factory=dict)
    unindexed: tuple[IndexEntry, ...] = ()
    unlogged: tuple[LedgerLeaf, ...] = ()
    checkpoint: Checkpoint | None = None
    covered: Head = EMPTY_CHAIN
    uncleared: int | None = None
    ever_covered: frozenset[Head] = frozenset()
    signed_size: int = 0
    failures: tuple[Failure, ...] = ()
    failures_total: int = 0

    @property
    def end(self) -> Head:
        """Where the chain ends."""
        return self.ends[0] if self.ends else EMPTY_CHAIN


class Surveyor:
    """Reads; never writes."""

    def __init__(
        self,
        *,
        records: RecordStore,
        journal: Journal,
        log: LogReader,
        table: TableRepair,
        inventory: Inventory,
        clock: Clock,
    ) -> None:
        self._inventory = inventory
        self._clock = clock
        self._records = records
        self._journal = journal
        self._log = log
        self._table = table

    def survey(
        self,
        org_id: str,
        *,
        promised: Head | None,
        cleared: int,
        each: Callable[[Record], None] | None = None,
    ) -> Survey:
        """Walk the whole chain. `each` gets every record in order.

        `promised` is the table's head, which the chain must reach; `cleared` is how far the table says that the outbox
        was emptied. Both are to be read before.
        """
        walk = _Walk(self._records, self._journal, self._log, self._table, org_id, cleared, each)
        survey = walk.go(promised)
        return replace(survey, unlogged=tuple(self._unlogged(org_id, walk.retained)))

    def _unlogged(self, org_id: str, retained: Mapping[int, int]) -> Iterator[LedgerLeaf]:
        now_ms = self._clock.now_ms()
        for size in sorted(retained.keys() - self._inventory.logged(org_id)):
            with suppress(NoteError, EvidenceBroken):
                sha256 = leaf_data(self._log.opened(org_id, size).note).hex()
                yield LedgerLeaf(org_id, size, sha256, retain_until_ms=retained[size], published_ms=now_ms)


@dataclass(slots=True)
class _Walk:
    records: RecordStore
    journal: Journal
    log: LogReader
    table: TableRepair
    org_id: str
    cleared: int
    each: Callable[[Record], None] | None
    checker: ChainChecker = field(init=False)
    roots: Roots = field(init=False)
    _sizes: frozenset[int] = frozenset()
    retained: dict[int, int] = field(default_factory=dict)
    """Until when the record at the end of each published checkpoint is kept."""
    _at_size: dict[int, Head] = field(default_factory=dict)
    _ends: list[Head] = field(default_factory=list)
    _days: dict[str, int] = field(default_factory=dict)
    _unindexed: list[IndexEntry] = field(default_factory=list)
    _pending_keys: set[str] = field(default_factory=set)
    _uncleared: int | None = None
    _sealed: int = 0
    _first_at_ms: int | None = None
    _last_key: str = ""

    def go(self, promised: Head | None) -> Survey:
        self.checker = ChainChecker(self.org_id)
        self._sizes = frozenset(self.log.sizes(self.org_id, at_least=1))
        self.roots = Roots(self.log, self.org_id, self.checker)
        self.roots.begin()
        self._last_key = f"{self.org_id}/"
        self._listed()
        for _ in range(_ROUNDS):
            waited, listed = self._take_waiting(MAX_SEQUENCE), self._listed()
            if not waited and not listed:
                break
        self.roots.finish()
        if promised is not None and promised.sequence >= self.checker.next_sequence:
            self.checker.hold(Promise(promised.sequence, promised.tx_hash, "the table's head"))
        self.checker.finish()
        checkpoint = self._last_published()
        return Survey(
            ends=tuple(self._ends),
            sealed=self._sealed,
            waiting=len(self.checker.pending),
            first_at_ms=self._first_at_ms,
            days=self._days,
            unindexed=tuple(self._unindexed),
            checkpoint=checkpoint,
            covered=self._at_size[checkpoint.size] if checkpoint else EMPTY_CHAIN,
            uncleared=self._uncleared,
            ever_covered=frozenset(self._at_size.values()),
            signed_size=next((found.size for found in self._opened(sorted(self._sizes, reverse=True))), 0),
            failures=tuple(in_order(self.checker.failures)),
            failures_total=self.checker.failures_total,
        )

    def _listed(self) -> int:
        """Check what the bucket lists after the last key; returns how many keys that were."""
        listed, count = self._keys_after(self._last_key), 0
        while chunk := list(islice(listed, CHUNK)):
            count += len(chunk)
            self._check(chunk)
        return count

    def _keys_after(self, key: str) -> Iterator[KeyVersions]:
        for keys in self.records.versions(self.org_id, after=key):
            if keys.s3_key not in self._pending_keys:  # taken from the outbox, and sealed since
                yield keys

    def _check(self, chunk: list[KeyVersions]) -> None:
        places = [found.sequence for keys in chunk if (found := record.parse_key(keys.s3_key))]
        waiting = self._outbox([sequence for sequence in places if sequence > self.cleared])
        entries: list[IndexEntry] = []
        for keys, stored in self.records.read_all(chunk):
            key = record.parse_key(keys.s3_key)
            if key is not None:
                self._close_gap(key.sequence, keys.s3_key)
            one = specimen(keys, stored)
            sealed = self.checker.observe(one)
            self._last_key = keys.s3_key
            if key is None or stored is None:
                continue
            self.roots.add(key, one.tx_hash)
            if sealed is not None:
                self._sealed += 1
                entries.append(IndexEntry(bytes.fromhex(sealed.tx_hash), sealed.audit_id))
                self._note(sealed)
                self._compare(sealed, waiting.get(sealed.sequence))
        self._unindexed += self.table.unindexed(self.org_id, entries)

    def _close_gap(self, below: int, s3_key: str) -> None:
        """Find what the listing did not show before this key: in the outbox, then in the bucket again.

        In this order nothing is missed: an outbox entry goes only after its record was read from the bucket.
        """
        before = 0
        while before < self.checker.next_sequence < below:
            before = self.checker.next_sequence
            self._take_waiting(below)
            if self.checker.next_sequence < below:
                again = takewhile(lambda keys: keys.s3_key < s3_key, self._keys_after(self._last_key))
                self._check(list(again))

    def _take_waiting(self, below: int) -> int:
        """Take committed records from the outbox, one after another; returns how many."""
        count = 0
        while (first := self.checker.next_sequence) < below:
            stop = min(below, first + _OUTBOX_CHUNK)
            waiting = self._outbox(range(first, stop))
            while (sequence := self.checker.next_sequence) in waiting and self._pend(sequence, waiting[sequence]):
                count += 1
            if self.checker.next_sequence < stop:
                break
        return count

    def _pend(self, sequence: int, data: bytes) -> bool:
        found = self.checker.read_pending(sequence, data)
        if found is None:
            return False
        self.checker.observe_pending(found)
        self._pending_keys.add(found.s3_key)
        self._note(found)
        return True

    def _outbox(self, sequences: Sequence[int]) -> dict[int, bytes]:
        found = self.journal.outbox(self.org_id, sequences) if sequences else {}
        self._uncleared = min([*found, *([] if self._uncleared is None else [self._uncleared])], default=None)
        return found

    def _note(self, found: Record) -> None:
        """Remember what the table keeps of a record."""
        if not self._ends or found.sequence > self._ends[0].sequence:
            self._ends = [found.head]
        elif found.sequence == self._ends[0].sequence:
            self._ends.append(found.head)
        self._days.setdefault(instants.day(found.timestamp_ms), found.sequence)
        if self._first_at_ms is None:
            self._first_at_ms = found.timestamp_ms
        if found.sequence in self._sizes:
            self._at_size.setdefault(found.sequence, found.head)
            self.retained.setdefault(found.sequence, found.retain_until_ms)
        if self.each is not None:
            self.each(found)

    def _compare(self, sealed: Record, waiting: bytes | None) -> None:
        if waiting is not None and waiting != sealed.data:
            detail = "another record with this sequence is committed and waits in the outbox"
            other = record.tx_hash(waiting)
            self.checker.report(FailureCode.FORK, sealed.sequence, detail, expected=sealed.tx_hash, found=other)

    def _last_published(self) -> Checkpoint | None:
        """The last checkpoint with a good signature that ends at a record which is there."""
        return next(self._opened(sorted(self._at_size, reverse=True)), None)

    def _opened(self, sizes: Iterable[int]) -> Iterator[Checkpoint]:
        for size in sizes:
            try:
                yield self.log.opened(self.org_id, size).checkpoint
            except (NoteError, EvidenceBroken):
                continue  # reported by the walk over the roots
