# SPDX-License-Identifier: Apache-2.0
"""What makes a chain valid, and every way in which it can be broken.

Invariant: per organisation, sequences 1..n are contiguous, each has exactly one record, each names its predecessor's
hash, time never runs backwards, and every record is locked as it states. `ChainChecker` takes what a store has, in the
order of keys, in constant memory, and collects *all* failures instead of stopping at the first. The API, the anchor and
the command line use the same checker.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from indelible.domain import audit_id as audit_ids
from indelible.domain import instants, record
from indelible.domain.findings import ExpectedHash, Failure, FailureCode, Failures, Run, StoredObject
from indelible.domain.record import GENESIS, Head, Record, RecordKey


@dataclass(slots=True)
class _Seen:
    """The last sequence observed, and the hashes of its records (several in a fork)."""

    sequence: int
    hashes: set[str]
    timestamp_ms: int


@dataclass(slots=True, kw_only=True)
class ChainChecker(Failures):
    """Checks one organisation's records from `start` on.

    Call `expect` for what others say of the chain, then `observe` for every object in the order of keys, and
    `observe_pending` for a record that is committed and not yet in the store; then `finish`. With `start` above 1, call
    `precede` first, with the predecessor; without it the first record's link stays unchecked.

    `locks` is False for sources that cannot tell (a directory, a bundle).
    """

    org_id: str = field(kw_only=False)
    start: int = 1
    locks: bool = True
    expected: dict[int, list[ExpectedHash]] = field(default_factory=dict)
    entries_checked: int = 0
    pending: list[int] = field(default_factory=list)
    _last: _Seen | None = None

    @property
    def next_sequence(self) -> int:
        """The sequence that must be next."""
        return self.start if self._last is None else self._last.sequence + 1

    @classmethod
    def following(cls, org_id: str, head: Head) -> ChainChecker:
        """A checker for the records after `head`, which was checked before."""
        last = None if head.sequence == 0 else _Seen(head.sequence, {head.tx_hash}, head.timestamp_ms)
        return cls(org_id=org_id, start=head.sequence + 1, _last=last)

    def expect(self, expected: ExpectedHash) -> None:
        """Expect a record. Every call counts, also several for one sequence."""
        self.expected.setdefault(expected.sequence, []).append(expected)

    def precede(self, data: bytes) -> int:
        """Take the record before `start`; of a fork, each record. Returns its time (Unix ms), or 0 if it has none."""
        try:
            timestamp_ms = record.read(data).timestamp_ms
        except record.UnknownFormat:
            timestamp_ms = 0  # its hash still links; its own faults belong to a range that contains it
        hashes = self._last.hashes if self._last else set()
        self._last = _Seen(self.start - 1, hashes | {record.tx_hash(data)}, timestamp_ms)
        return timestamp_ms

    def go_on(self, last: Head) -> None:
        """Continue from the record before `start`, which an earlier walk has checked."""
        self._last = _Seen(last.sequence, {last.tx_hash}, last.timestamp_ms)

    @property
    def lacks_predecessor(self) -> bool:
        """Whether `precede` is still to be called before the first record."""
        return self.start > 1 and self._last is None

    def miss_predecessor(self) -> None:
        """Report that the record before the range was not found."""
        self._fail(FailureCode.MISSING, self.start - 1, "the record before the range is not there")

    def observe(self, stored: StoredObject) -> Record | None:
        """Check one stored record against itself, its lock, and its place in the chain.

        Returns the record, where the bytes can be read as one.
        """
        key = record.parse_key(stored.s3_key)
        if key is None or key.org_id != self.org_id:
            detail = "an object that is no record lies among the records"
            self._fail(FailureCode.UNKNOWN_FORMAT, None, detail, stored)
            return None
        if stored.shadows:
            over = ", ".join(stored.shadows)
            detail = "a newer version or a delete marker lies over the sealed version"
            self._fail(FailureCode.SHADOWED, key.sequence, detail, stored, found=over)
        if stored.data is None:
            return None  # no content at all: the gap it leaves is reported as MISSING by the next record or `finish`
        self.entries_checked += 1
        found = self._read(stored, key, stored.data)
        if self.locks:
            self._check_lock(stored, key.sequence, found)
        self._link(key.sequence, stored.tx_hash, found, stored)
        return found

    def join(self, run: Run) -> bool:
        """Take a whole run of records, if it follows the last record; else return False: observe them singly.

        The caller has checked its records against their keys, their checksums and locks, each other, and the hashes
        that are expected of them.
        """
        last = self._last
        if last is None:
            follows = self.start == run.first == 1 and run.prev_hash == GENESIS
        else:
            follows = run.first == last.sequence + 1 and run.prev_hash in last.hashes
            follows = follows and run.first_ms >= last.timestamp_ms
        if follows:
            self.entries_checked += run.last.sequence - run.first + 1
            self._last = _Seen(run.last.sequence, {run.last.tx_hash}, run.last.timestamp_ms)
        return follows

    def read_pending(self, sequence: int, data: bytes) -> Record | None:
        """The record in an outbox entry; None, and a failure, if it is anything but record `sequence`."""
        try:
            found = record.read(data)
        except record.UnknownFormat as error:
            self._fail(FailureCode.UNKNOWN_FORMAT, sequence, f"in the outbox: {error}")
            return None
        if (found.org_id, found.sequence) != (self.org_id, sequence):
            self._fail(FailureCode.CONTENT_MISMATCH, sequence, "the outbox has another record in this place")
            return None
        return found

    def observe_pending(self, found: Record) -> None:
        """Take a committed record that is still in the outbox: it is linked, and counts as pending."""
        self.pending.append(found.sequence)
        self._link(found.sequence, found.tx_hash, found, None)

    def finish(self, last_sequence: int | None = None, *, goes_on: bool = False) -> None:
        """After the last object. `last_sequence` is where the range ends, if it has an end.

        A hash chain alone does not show that its end was cut off; expected hashes do. Where the chain `goes_on` after
        the range, a record that is not there at the range's end is missing, whether one expects it or not.
        """
        if goes_on and last_sequence is not None and last_sequence >= self.next_sequence:
            self._fail(FailureCode.MISSING, self.next_sequence, "there is no such record", through=last_sequence)
            return
        expected = [one for several in self.expected.values() for one in several]
        end = max((one.sequence for one in expected if one.sequence >= self.start), default=0)
        if last_sequence is not None:
            end = min(end, last_sequence)
        if end >= self.next_sequence:
            sources = sorted({one.source for one in expected if one.sequence >= self.next_sequence})
            detail = f"the chain ends at {self.next_sequence - 1}, but {' and '.join(sources)} goes on to {end}"
            self._fail(FailureCode.TRUNCATED, self.next_sequence, detail, through=end)

    def _read(self, stored: StoredObject, key: RecordKey, data: bytes) -> Record | None:
        tx_hash = stored.tx_hash
        if stored.stored_sha256 is not None and stored.stored_sha256 != tx_hash:
            self._fail(
                FailureCode.CONTENT_MISMATCH,
                key.sequence,
                "the bytes do not have the checksum that was stored with them",
                stored,
                expected=stored.stored_sha256,
                found=tx_hash,
            )
        expected = self.expected.get(key.sequence, ())
        for other in dict.fromkeys(one.tx_hash for one in expected if one.tx_hash != tx_hash):
            sources = dict.fromkeys(one.source for one in expected if one.tx_hash == other)
            self._fail(
                FailureCode.CONTENT_MISMATCH,
                key.sequence,
                f"{' and '.join(sources)} {'name' if len(sources) > 1 else 'names'} another hash for this sequence",
                stored,
                expected=other,
                found=tx_hash,
            )
        if not stored.is_whole:
            detail = f"the object has more than {record.MAX_OBJECT_BYTES:,} bytes, and a record far less"
            self._fail(FailureCode.UNKNOWN_FORMAT, key.sequence, detail, stored)
            return None
        try:
            found = record.read(data)
        except record.UnknownFormat as error:
            self._fail(FailureCode.UNKNOWN_FORMAT, key.sequence, str(error), stored)
            return None
        if not says_the_same(found, key):
            self._fail(
                FailureCode.CONTENT_MISMATCH,
                key.sequence,
                "the record does not belong under its key",
                stored,
                expected=stored.s3_key,
                found=f"org {found.org_id}, sequence {found.sequence}, audit_id {found.audit_id}",
            )
        self._check_receipts(found, stored, expected)
        return found

    def _check_receipts(self, found: Record, stored: StoredObject, expected: Iterable[ExpectedHash]) -> None:
        """Compare the record with the receipts for its hash; one for another hash was reported as that."""
        for one in expected:
            if one.receipt is None or one.tx_hash != found.tx_hash:
                continue
            for name, said, true in one.receipt.contradictions(found, stored.version_id):
                detail = f"{one.source} has another {name} than the record"
                self._fail(FailureCode.CONTENT_MISMATCH, found.sequence, detail, stored, expected=said, found=true)

    def _check_lock(self, stored: StoredObject, sequence: int, found: Record | None) -> None:
        if stored.lock is None:
            self._fail(FailureCode.UNLOCKED, sequence, "the object has no lock", stored)
        elif found is not None and (
            stored.lock.mode != found.lock_mode or stored.lock.retain_until_ms < found.retain_until_ms
        ):
            self._fail(
                FailureCode.UNLOCKED,
                sequence,
                "the lock is weaker than the record promises",
                stored,
                expected=f"{found.lock_mode} until {instants.to_text(found.retain_until_ms)}",
                found=f"{stored.lock.mode} until {instants.to_text(stored.lock.retain_until_ms)}",
            )

    def _link(self, sequence: int, tx_hash: str, found: Record | None, stored: StoredObject | None) -> None:
        last = self._last
        if last is not None and sequence <= last.sequence:
            self._fail(FailureCode.FORK, sequence, "this sequence has more than one record", stored, found=tx_hash)
            if sequence == last.sequence:
                last.hashes.add(tx_hash)  # either may be the one that its successor names
            return
        expected = self.next_sequence
        if sequence > expected:
            self._fail(FailureCode.MISSING, expected, "there is no such record", through=sequence - 1)
        elif found is not None:
            before = last.hashes if last is not None else {GENESIS} if sequence == 1 else None
            if before is not None and found.prev_hash not in before:
                self._fail(
                    FailureCode.BROKEN_LINK,
                    sequence,
                    "prev_hash is not the hash of the record before",
                    stored,
                    expected=" or ".join(sorted(before)),
                    found=found.prev_hash,
                )
        timestamp_ms = last.timestamp_ms if last is not None else 0
        if found is not None:
            if found.timestamp_ms < timestamp_ms:
                self._fail(
                    FailureCode.TIME_REVERSED,
                    sequence,
                    "earlier than a record before it",
                    stored,
                    expected=f"not before {instants.to_text(timestamp_ms)}",
                    found=instants.to_text(found.timestamp_ms),
                )
            timestamp_ms = max(timestamp_ms, found.timestamp_ms)
        self._last = _Seen(sequence, {tx_hash}, timestamp_ms)

    def _fail(
        self,
        code: FailureCode,
        sequence: int | None,
        detail: str,
        stored: StoredObject | None = None,
        *,
        through: int | None = None,
        expected: str | None = None,
        found: str | None = None,
    ) -> None:
        self.take(
            Failure(
                code=code,
                sequence=sequence,
                detail=detail,
                through=through if through != sequence else None,
                s3_key=stored.s3_key if stored else None,
                version_id=stored.version_id if stored else None,
                expected=expected,
                found=found,
            )
        )


def says_the_same(found: Record, key: RecordKey) -> bool:
    """Whether a record belongs under this key."""
    try:
        location = audit_ids.decode(found.audit_id)
    except ValueError:
        return False
    return (
        (found.org_id, found.sequence, found.audit_id) == (key.org_id, key.sequence, key.audit_id)
        and (location.sequence, location.timestamp_ms) == (found.sequence, found.timestamp_ms)
        and instants.day(found.timestamp_ms) == key.day
    )
