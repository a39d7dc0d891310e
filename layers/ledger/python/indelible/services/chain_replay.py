# SPDX-License-Identifier: Apache-2.0
"""Replay an organisation's records, sealed ones first and then those in the outbox, to learn what the table must say.

Invariant: nothing is taken from the table but what waits in the outbox, and of that only what continues the chain. A
record that is committed and not yet sealed has no other copy, so the head must be beyond it; everything else follows
from the bucket. A replay may run while the ledger records: each look at the bucket is followed by one at the outbox and
a second one at the bucket, because the anchor empties the outbox only of what it has read there.
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
from indelible.domain.findings import ExpectedHash, Failure, FailureCode, in_order
from indelible.domain.ledger import LedgerLeaf, leaf_data
from indelible.domain.note import NoteError
from indelible.domain.record import EMPTY_CHAIN, Head, Record
from indelible.errors import EvidenceBroken
from indelible.ports import Clock, IndexEntry, Inventory, Journal, KeyVersions, RecordStore, TableRepair
from indelible.services.log import LogReader
from indelible.services.roots import RootChecker
from indelible.services.stored_object import stored_object

CHUNK = 1000
"""Records read, and looked up in the table, at a time."""

_OUTBOX_CHUNK = 100
_CATCH_UP_ROUNDS = 3
"""Looks beyond the end, while each finds more: a ledger that records all the time would never be caught up with."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the table must say about one organisation, and what is wrong with its chain."""

    ends: tuple[Head, ...] = ()
    """The possible heads: several only where the chain forks at its end, none where it is empty."""
    sealed: int = 0
    """Records in the bucket."""
    waiting: int = 0
    """Records in the outbox alone."""
    first_at_ms: int | None = None
    """When the first record was made, in Unix milliseconds."""
    days: Mapping[str, int] = field(default_factory=dict)
    """The first sequence of each day, `YYYY-MM-DD`."""
    unindexed: tuple[IndexEntry, ...] = ()
    """Sealed records whose hash the table's index does not have."""
    unlogged: tuple[LedgerLeaf, ...] = ()
    """Published checkpoints without a proof in the ledger's own log."""
    checkpoint: Checkpoint | None = None
    """The last published checkpoint with a good signature that ends at a record which is there."""
    covered: Head = EMPTY_CHAIN
    """The record at its end."""
    ever_covered: frozenset[Head] = frozenset()
    """The records at the ends of all published checkpoints."""
    uncleared: int | None = None
    """The first sequence whose outbox entry is still there."""
    signed_size: int = 0
    """The largest size with a good signature, whatever the records say."""
    failures: tuple[Failure, ...] = ()
    """In the order of sequences; the first of them where `failures_total` is larger."""
    failures_total: int = 0

    @property
    def end(self) -> Head:
        """Where the chain ends."""
        return self.ends[0] if self.ends else EMPTY_CHAIN


class ChainReplayer:
    """Replays one organisation at a time. Never writes."""

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
        self._records = records
        self._journal = journal
        self._log = log
        self._table = table
        self._inventory = inventory
        self._clock = clock

    def replay(
        self,
        org_id: str,
        *,
        promised: Head | None,
        cleared: int,
        on_record: Callable[[Record], None] = lambda _: None,
    ) -> Replayed:
        """Replay the whole chain; `on_record` gets every record in order.

        `promised` is the table's head, which the chain must reach; `cleared` is the sequence up to which the table says
        that the outbox was emptied. The caller must have read both before.
        """
        state = _TableState(frozenset(self._log.sizes(org_id, at_least=1)), on_record)
        replay = _Replay(self._records, self._journal, self._log, self._table, org_id, cleared, state)
        replayed = replay.run(promised)
        return replace(replayed, unlogged=tuple(self._unlogged(org_id, state.retained)))

    def _unlogged(self, org_id: str, retained: Mapping[int, int]) -> Iterator[LedgerLeaf]:
        now_ms = self._clock.now_ms()
        for size in sorted(retained.keys() - self._inventory.logged(org_id)):
            with suppress(NoteError, EvidenceBroken):
                sha256 = leaf_data(self._log.opened(org_id, size).note).hex()
                yield LedgerLeaf(org_id, size, sha256, retain_until_ms=retained[size], published_ms=now_ms)


@dataclass(slots=True)
class _TableState:
    """What the table keeps of the records so far. `sizes` are those of published checkpoints."""

    sizes: frozenset[int]
    on_record: Callable[[Record], None]
    ends: list[Head] = field(default_factory=list)
    days: dict[str, int] = field(default_factory=dict)
    first_at_ms: int | None = None
    at_size: dict[int, Head] = field(default_factory=dict)
    """The record at the end of each published checkpoint."""
    retained: dict[int, int] = field(default_factory=dict)
    """Until when that record is kept."""

    def add(self, found: Record) -> None:
        """The next record, or another one with the last sequence."""
        if not self.ends or found.sequence > self.ends[0].sequence:
            self.ends = [found.head]
        elif found.sequence == self.ends[0].sequence:
            self.ends.append(found.head)
        self.days.setdefault(instants.day(found.timestamp_ms), found.sequence)
        if self.first_at_ms is None:
            self.first_at_ms = found.timestamp_ms
        if found.sequence in self.sizes:
            self.at_size.setdefault(found.sequence, found.head)
            self.retained.setdefault(found.sequence, found.retain_until_ms)
        self.on_record(found)


@dataclass(slots=True)
class _Replay:
    records: RecordStore
    journal: Journal
    log: LogReader
    table: TableRepair
    org_id: str
    cleared: int
    state: _TableState
    checker: ChainChecker = field(init=False)
    roots: RootChecker = field(init=False)
    _unindexed: list[IndexEntry] = field(default_factory=list)
    _pending_keys: set[str] = field(default_factory=set)
    _uncleared: int | None = None
    _sealed: int = 0
    _last_key: str = ""

    def run(self, promised: Head | None) -> Replayed:
        self.checker = ChainChecker(self.org_id)
        self.roots = RootChecker(self.log, self.org_id, self.checker)
        self.roots.begin()
        self._last_key = f"{self.org_id}/"
        self._read_bucket()
        for _ in range(_CATCH_UP_ROUNDS):
            waited, listed = self._read_outbox(MAX_SEQUENCE), self._read_bucket()
            if not waited and not listed:
                break
        self.roots.finish()
        if promised is not None and promised.sequence >= self.checker.next_sequence:
            self.checker.expect(ExpectedHash(promised.sequence, promised.tx_hash, "the table's head"))
        self.checker.finish()
        return self._result()

    def _result(self) -> Replayed:
        state = self.state
        checkpoint = next(self._opened(state.at_size), None)
        signed = next(self._opened(state.sizes), None)
        return Replayed(
            ends=tuple(state.ends),
            sealed=self._sealed,
            waiting=len(self.checker.pending),
            first_at_ms=state.first_at_ms,
            days=state.days,
            unindexed=tuple(self._unindexed),
            checkpoint=checkpoint,
            covered=state.at_size[checkpoint.size] if checkpoint else EMPTY_CHAIN,
            ever_covered=frozenset(state.at_size.values()),
            uncleared=self._uncleared,
            signed_size=signed.size if signed else 0,
            failures=tuple(in_order(self.checker.failures)),
            failures_total=self.checker.failures_total,
        )

    def _opened(self, sizes: Iterable[int]) -> Iterator[Checkpoint]:
        """Those of these sizes that have a good signature, the largest first."""
        for size in sorted(sizes, reverse=True):
            try:
                yield self.log.opened(self.org_id, size).checkpoint
            except (NoteError, EvidenceBroken):
                continue  # `roots` has reported it

    def _read_bucket(self) -> int:
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
        sequences = [key.sequence for keys in chunk if (key := record.parse_key(keys.s3_key))]
        waiting = self._outbox([sequence for sequence in sequences if sequence > self.cleared])
        entries: list[IndexEntry] = []
        for keys, stored in self.records.read_all(chunk):
            key = record.parse_key(keys.s3_key)
            if key is not None:
                self._close_gap(key.sequence, keys.s3_key)
            one = stored_object(keys, stored)
            sealed = self.checker.observe(one)
            self._last_key = keys.s3_key
            if key is None or stored is None:
                continue
            self.roots.add(key, one.tx_hash)
            if sealed is not None:
                self._sealed += 1
                entries.append(IndexEntry(bytes.fromhex(sealed.tx_hash), sealed.audit_id))
                self.state.add(sealed)
                self._compare(sealed, waiting.get(sealed.sequence))
        self._unindexed += self.table.unindexed(self.org_id, entries)

    def _close_gap(self, below: int, s3_key: str) -> None:
        """Find what the listing did not show before this key: in the outbox, then in the bucket again.

        In this order nothing is missed: an outbox entry goes only after its record was read from the bucket.
        """
        before = 0
        while before < self.checker.next_sequence < below:
            before = self.checker.next_sequence
            self._read_outbox(below)
            if self.checker.next_sequence < below:
                again = takewhile(lambda keys: keys.s3_key < s3_key, self._keys_after(self._last_key))
                self._check(list(again))

    def _read_outbox(self, below: int) -> int:
        """Take committed records from the outbox, one after another; returns how many."""
        count = 0
        while (first := self.checker.next_sequence) < below:
            stop = min(below, first + _OUTBOX_CHUNK)
            waiting = self._outbox(range(first, stop))
            while (sequence := self.checker.next_sequence) in waiting and self._take(sequence, waiting[sequence]):
                count += 1
            if self.checker.next_sequence < stop:
                break
        return count

    def _take(self, sequence: int, data: bytes) -> bool:
        found = self.checker.read_pending(sequence, data)
        if found is None:
            return False
        self.checker.observe_pending(found)
        self._pending_keys.add(found.s3_key)
        self.state.add(found)
        return True

    def _outbox(self, sequences: Sequence[int]) -> dict[int, bytes]:
        found = self.journal.outbox(self.org_id, sequences) if sequences else {}
        self._uncleared = min([*found, *([] if self._uncleared is None else [self._uncleared])], default=None)
        return found

    def _compare(self, sealed: Record, waiting: bytes | None) -> None:
        if waiting is not None and waiting != sealed.data:
            detail = "another record with this sequence is committed and waits in the outbox"
            other = record.tx_hash(waiting)
            self.checker.report(FailureCode.FORK, sealed.sequence, detail, expected=sealed.tx_hash, found=other)
