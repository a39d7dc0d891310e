# SPDX-License-Identifier: Apache-2.0
"""One pass of the anchor: seal what the outbox still holds, then re-read, re-hash and check the next records.

Invariant: what is collected was read back from the bucket, and continues the chain from where the last pass ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from indelible.domain import record
from indelible.domain.chain import ChainChecker
from indelible.domain.findings import ExpectedHash, Failure, FailureCode
from indelible.domain.record import Head, Record, RecordKey
from indelible.ports import Clock, Index, Journal, KeyVersions, RecordStore, Telemetry, Workers
from indelible.services.stored_object import stored_object


@dataclass(frozen=True, slots=True)
class Collected:
    """Consecutive records. They must not be anchored when anything is `broken`. Counts as in AnchorReport."""

    records: tuple[Record, ...]
    broken: tuple[Failure, ...] = ()
    sealed: int = 0
    repaired: int = 0
    shadowed: int = 0
    outbox_age_ms: int = 0


class Collector:
    """Reads the next records of one organisation at a time."""

    def __init__(
        self,
        *,
        records: RecordStore,
        journal: Journal,
        index: Index,
        clock: Clock,
        workers: Workers,
        telemetry: Telemetry,
    ) -> None:
        self._records = records
        self._journal = journal
        self._index = index
        self._clock = clock
        self._workers = workers
        self._telemetry = telemetry

    def collect(self, org_id: str, base: Head, upper: int, head: Head) -> Collected:
        """The records after `base` up to the sequence `upper`. The chain must agree with `head`, the table's head.

        Raises Unavailable where a record from the outbox could not be sealed.
        """
        keys = self._listed(org_id, base, upper)
        present = {key.sequence for key, _ in keys}
        sealed = self._seal_waiting(org_id, [n for n in range(base.sequence + 1, upper + 1) if n not in present])
        age_ms = 0
        if sealed:
            keys = self._listed(org_id, base, upper)
            age_ms = self._clock.now_ms() - min(entry.timestamp_ms for entry in sealed)
        checker = ChainChecker.following(org_id, base)
        checker.expect(ExpectedHash(head.sequence, head.tx_hash, "the table's head"))
        read_back = self._records.read_all(entry for _, entry in keys)
        covered = tuple(
            found for entry, stored in read_back if (found := checker.observe(stored_object(entry, stored)))
        )
        checker.finish(last_sequence=upper)
        for failure in checker.failures:
            self._telemetry.note(
                "verification failed",
                org_id=org_id,
                code=failure.code,
                sequence=failure.sequence,
                detail=failure.detail,
            )
        # What hides a sealed version does not change it: that is reported, and the log goes on.
        broken = tuple(f for f in checker.failures if f.code is not FailureCode.SHADOWED)
        return Collected(
            records=covered,
            broken=broken,
            sealed=len(sealed),
            repaired=0 if broken else self._index.repair(covered),
            shadowed=sum(f.code is FailureCode.SHADOWED for f in checker.failures),
            outbox_age_ms=age_ms,
        )

    def _listed(self, org_id: str, tail: Head, upper: int) -> list[tuple[RecordKey, KeyVersions]]:
        """The record keys after the tail, up to a sequence."""
        listed: list[tuple[RecordKey, KeyVersions]] = []
        for entry in self._records.versions(org_id, after=record.key_after(org_id, tail)):
            key = record.parse_key(entry.s3_key)
            if key is None:
                continue  # not a record: `verify` reports it
            if key.sequence > upper:
                break
            listed.append((key, entry))
        return listed

    def _seal_waiting(self, org_id: str, sequences: list[int]) -> list[Record]:
        """Seal those of these records that are in the outbox.

        Raises the first error, after all seals have ended; the next run seals the rest.
        """
        waiting = self._journal.outbox(org_id, sequences) if sequences else {}
        checker = ChainChecker(org_id)  # an entry that is no valid record is not sealed, and reported as missing
        read = (checker.read_pending(sequence, data) for sequence, data in waiting.items())
        entries = [entry for entry in read if entry is not None]
        for result in self._workers.gather([partial(self._records.seal, entry) for entry in entries]):
            if isinstance(result, Exception):
                raise result
        return entries
