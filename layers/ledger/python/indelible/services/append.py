# SPDX-License-Identifier: Apache-2.0
"""The write protocol: how an event becomes a sealed record (architecture §4).

    build on the head ─▶ COMMIT (one transaction) ─▶ SEAL (S3 PUT, beside the index entry) ─▶ receipt
                          head: compare-and-swap      create-only, locked, checksummed
                          outbox: the bytes
                          idempotency key: first wins

Why in this order. The commit is the linearization point. Before it, nothing exists. After it, the record has its place
in the chain and its bytes are in the outbox, so whatever fails later can be completed: by this call, by a retry with
the same idempotency key, or by the anchor. The receipt waits for the bucket, because only the bucket is evidence.

The alternatives are worse. S3 first: a writer that loses the race leaves a locked object that cannot be deleted for
seven years, and looks like a fork. A ticket counter: it assigns sequences but cannot assign `prev_hash`, and a writer
that dies with a ticket leaves a gap. A queue with one consumer: no receipt within the request, and the burst of one
tenant delays all others.

Warm and uncontended this makes two sequential round trips: one TransactWriteItems, then one PutObject beside one
PutItem. A test counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from indelible.domain import audit_id as audit_ids
from indelible.domain import record
from indelible.domain.receipt import Receipt
from indelible.domain.record import Head, Record
from indelible.errors import (
    Contention,
    EvidenceBroken,
    IdempotencyConflict,
    LedgerError,
    NotSealed,
    TooLarge,
    Unavailable,
)
from indelible.ports import (
    MAX_BYTES_PER_COMMIT,
    MAX_RECORDS_PER_COMMIT,
    AlreadyRecorded,
    Clock,
    Entropy,
    HeadMoved,
    Index,
    Journal,
    News,
    RecordStore,
    Remembered,
    Telemetry,
    Workers,
)
from indelible.services.heads import Heads
from indelible.services.record_check import check_links, is_locked, read_intact
from indelible.services.submission import Submission

BACKOFF_BASE_MS = 4
BACKOFF_CAP_MS = 250
NEWS_EVERY_MS = 60_000


class Appender:
    """One for each execution environment: it remembers the heads that it has seen."""

    def __init__(
        self,
        *,
        journal: Journal,
        records: RecordStore,
        index: Index,
        news: News,
        clock: Clock,
        entropy: Entropy,
        workers: Workers,
        telemetry: Telemetry,
    ) -> None:
        self._journal = journal
        self._records = records
        self._index = index
        self._news = news
        self._clock = clock
        self._entropy = entropy
        self._workers = workers
        self._telemetry = telemetry
        self._heads = Heads(journal=journal, records=records)
        self._news_marked: dict[str, int] = {}

    def append(self, submission: Submission) -> list[Receipt]:
        """Record all events in order, and return a receipt for each.

        More events than one transaction allows are committed in several. An error in a later one leaves the earlier
        ones recorded: a retry with the same idempotency key returns their receipts and continues.

        Raises:
            TooLarge: an event is over the limit; nothing was recorded.
            IdempotencyConflict: the key was used for another request; nothing was recorded.
            Contention, HeadRegressed: nothing (more) was recorded.
            NotSealed: a record is committed, and not yet in the bucket.
            EvidenceBroken: the key of a committed record holds something else.
            Unavailable: the outcome is unknown.
        """
        for position, event in enumerate(submission.events):
            if len(event) > record.MAX_EVENT_BYTES:
                field = "event" if len(submission.events) == 1 else f"events[{position}]"
                limit = f"at most {record.MAX_EVENT_BYTES} bytes of canonical JSON are allowed"
                raise TooLarge(f"the event has {len(event)} bytes; {limit}", field=field)
        receipts: list[Receipt] = []
        while len(receipts) < len(submission.events):
            receipts += self._append_run(submission, len(receipts))
        return receipts

    def _append_run(self, submission: Submission, start: int) -> list[Receipt]:
        """Commit and seal as many events from index `start` on as one transaction allows."""
        org_id = submission.org_id
        idempotency = submission.idempotency(start)
        head = self._heads.take(org_id)
        records = self._build(submission, start, head)
        in_doubt = False  # whether an earlier attempt with exactly these records may have taken effect
        attempt = 0
        while True:
            try:
                self._journal.commit(head, records, idempotency, self._clock.now_ms())
            except AlreadyRecorded as taken:
                return self._replay(submission, taken.remembered)
            except HeadMoved as moved:
                if self._landed(records, moved.head, in_doubt=in_doubt):
                    self._heads.lost(org_id, moved.head)
                    break
                # A conflict without a head says nothing about the earlier attempt: the doubt stays.
                in_doubt = in_doubt and moved.head is None
                self._telemetry.count("LostRaces")
                self._back_off(submission, attempt, in_doubt=in_doubt)
                if not in_doubt:
                    head = self._heads.lost(org_id, moved.head)
                    records = self._build(submission, start, head)
            except Unavailable:
                # Try the same records again: they are committed now, or the head that moved is theirs.
                in_doubt = True
                self._back_off(submission, attempt, in_doubt=True)
            else:
                self._heads.won(org_id, records[-1].head)
                break
            attempt += 1
        self._telemetry.count("RecordsAppended", len(records))
        return self._seal(records)

    def _build(self, submission: Submission, start: int, head: Head) -> list[Record]:
        records: list[Record] = []
        size, now_ms = 0, self._clock.now_ms()  # read once: the records of a transaction are of one day
        for event in submission.events[start : start + MAX_RECORDS_PER_COMMIT]:
            built = record.build(
                event,
                org_id=submission.org_id,
                head=head,
                now_ms=now_ms,
                retention=submission.retention,
                governor=submission.governor,
                random=self._entropy.bits(audit_ids.RANDOM_BITS),
            )
            size += len(built.data)
            if records and size > MAX_BYTES_PER_COMMIT:
                break
            records.append(built)
            head = built.head
        return records

    def _landed(self, records: Sequence[Record], head: Head | None, *, in_doubt: bool) -> bool:
        """Whether an attempt without an answer has committed these records."""
        last = records[-1]
        if head is not None and head.tx_hash == last.tx_hash:
            return True
        if not in_doubt or head is None or head.sequence < last.sequence:
            return False
        # Another writer has appended since. A committed record is in the outbox until it is in the bucket, so looking
        # in this order cannot miss it. Its id has 34 random bits, so it cannot be the record of another writer.
        if self._journal.outbox(last.org_id, [last.sequence]).get(last.sequence) == last.data:
            return True
        stored = self._records.oldest(last.s3_key)
        return stored is not None and stored.data == last.data

    def _back_off(self, submission: Submission, attempt: int, *, in_doubt: bool) -> None:
        """Wait with full jitter, or raise when there is no time for another attempt."""
        pause = self._entropy.fraction() * min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2**attempt)
        if self._clock.now_ms() + pause >= submission.deadline_ms:
            if in_doubt:
                raise Unavailable("the table did not answer in time; retry with the same idempotency_key")
            raise Contention("too many requests record for this organisation at once; nothing was recorded, retry")
        self._clock.sleep_ms(pause)

    def _seal(self, records: Sequence[Record]) -> list[Receipt]:
        """Seal committed records, and write the hints (index, news) at the same time."""
        thunks: list[Callable[[], str | None]] = [lambda r=r: self._records.seal(r) for r in records]  # type: ignore[misc]
        thunks += [lambda r=r: self._index.put(r) for r in records]  # type: ignore[misc]
        if self._news_is_due(records[0].org_id):
            thunks.append(lambda: self._news.mark(records[0].org_id, self._clock.now_ms()))
        results = self._workers.gather(thunks)
        sealed, hints = results[: len(records)], results[len(records) :]
        for lost in (result for result in hints if isinstance(result, Exception)):
            # The anchor repairs the index, and the next call marks news again.
            self._news_marked.pop(records[0].org_id, None)
            self._telemetry.note("a hint was not written", error=type(lost).__name__)
        return [self._receipt(entry, result) for entry, result in zip(records, sealed, strict=True)]

    def _receipt(self, entry: Record, result: str | Exception | None) -> Receipt:
        if isinstance(result, str):
            return Receipt.of(entry, result)
        if isinstance(result, EvidenceBroken) or result is None:
            raise result or AssertionError("seal returned no version id")
        raise self._not_sealed(entry, result) from result

    def _not_sealed(self, entry: Record, error: Exception) -> NotSealed:
        """For any error of the bucket, even a refusal: the record is committed, and the client must know that."""
        self._telemetry.count("SealFailures")
        self._telemetry.note("not sealed", error=type(error).__name__, audit_id=entry.audit_id)
        message = f"committed as {entry.audit_id}, but not stored in the bucket yet; the anchor will store it"
        return NotSealed(message, audit_id=entry.audit_id)

    def _replay(self, submission: Submission, remembered: Remembered) -> list[Receipt]:
        """The receipts of the first request with this idempotency key. Seals what that request left unsealed."""
        if remembered.request_hash != submission.request_hash:
            raise IdempotencyConflict("this key was used for another request", field="idempotency_key")
        sequences = [audit_ids.decode(audit_id).sequence for audit_id in remembered.audit_ids]
        # Read the outbox first: an entry that is not there any more has been read back from the bucket.
        waiting = self._journal.outbox(submission.org_id, sequences)
        thunks = [
            partial(self._sealed, submission.org_id, audit_id, waiting.get(sequence))
            for audit_id, sequence in zip(remembered.audit_ids, sequences, strict=True)
        ]
        receipts: list[Receipt] = []
        for result in self._workers.gather(thunks):
            if isinstance(result, Exception):
                raise result
            receipts.append(result)
        check_links(receipts, remembered.tx_hash)
        return receipts

    def _sealed(self, org_id: str, audit_id: str, waiting: bytes | None) -> Receipt:
        """The receipt of a committed record, whose stored bytes must be those that were committed."""
        key = record.key_for(org_id, audit_id)
        stored = self._records.oldest(key)
        if stored is None:
            if waiting is None:
                raise LedgerError(f"the committed {audit_id} is in neither outbox nor bucket", audit_id=audit_id)
            entry = record.read(waiting)
            try:
                return Receipt.of(entry, self._records.seal(entry))
            except EvidenceBroken:
                raise
            except Exception as error:
                raise self._not_sealed(entry, error) from error
        entry = read_intact(stored)
        if waiting not in (None, stored.data) or not is_locked(stored, entry):
            # Another writer had created the key before the record was sealed, or its lock was removed since.
            raise EvidenceBroken(f"{key} is not stored as it was committed, locked as promised", audit_id=audit_id)
        return Receipt.of(entry, stored.version_id)

    def _news_is_due(self, org_id: str) -> bool:
        now = self._clock.now_ms()
        if now - self._news_marked.get(org_id, -NEWS_EVERY_MS) < NEWS_EVERY_MS:
            return False
        if len(self._news_marked) > 10_000:
            self._news_marked.clear()
        self._news_marked[org_id] = now
        return True
