# SPDX-License-Identifier: Apache-2.0
"""Chains written straight into bucket and table through the real adapters, with a step left out or done wrongly.

Object Lock refuses to take a record away, so a chain with a hole has to be made with the hole.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from indelible.aws.dynamo_journal import DynamoJournal
from indelible.aws.s3_records import S3Records
from indelible.domain import audit_id, instants, record
from indelible.domain.canonical import canonical_bytes
from indelible.domain.record import EMPTY_CHAIN, GovernorKey, Head, Record, Retention
from indelible.entry.machine import SystemClock
from tests.e2e.helpers.admin import Admin

RETENTION = Retention(lock_mode="COMPLIANCE", days=2555)
_GOVERNOR = GovernorKey(key_id="k1", secret=b"whoever writes past the ledger has another")


class Forge:
    """One organisation's records, made without the ledger's service."""

    def __init__(self, admin: Admin, org_id: str, retention: Retention = RETENTION) -> None:
        self.admin = admin
        self.org_id = org_id
        self.retention = retention
        self.journal = DynamoJournal(client=admin.dynamodb, table=admin.table)
        self.records = S3Records(client=admin.s3, bucket=admin.bucket, pool=ThreadPoolExecutor(1), clock=SystemClock())

    def build(
        self, count: int, head: Head = EMPTY_CHAIN, *, now_ms: int | None = None, step_ms: int = 1
    ) -> list[Record]:
        """Records that follow `head`, from now (or `now_ms`) on."""
        chain: list[Record] = []
        for number in range(count):
            event = canonical_bytes({"event_type": "AGENT_DECISION", "payload": {"number": number}})
            built = record.build(
                event,
                org_id=self.org_id,
                head=head,
                now_ms=(now_ms or time.time_ns() // 1_000_000) + number * step_ms,
                retention=self.retention,
                governor=_GOVERNOR,
                random=secrets.randbits(audit_id.RANDOM_BITS),
            )
            chain.append(built)
            head = built.head
        return chain

    def commit(self, chain: Sequence[Record], head: Head = EMPTY_CHAIN, *, waiting: Sequence[int] = ()) -> None:
        """Move the table's head over the records; only those in `waiting` stay in the outbox."""
        self.journal.commit(head, chain, None, chain[0].timestamp_ms)
        self.journal.clear(self.org_id, [one.sequence for one in chain if one.sequence not in waiting])

    def seal(self, chain: Sequence[Record], *, without: Sequence[int] = ()) -> None:
        """Write the objects as the ledger does, leaving some out."""
        for one in chain:
            if one.sequence not in without:
                self.records.seal(one)

    def put(self, key: str, data: bytes, **lock: Any) -> str:
        """Put any bytes under any key, with any lock or none of its own."""
        answer = self.admin.s3.put_object(
            Bucket=self.admin.bucket, Key=key, Body=data, ChecksumAlgorithm="SHA256", **lock
        )
        return str(answer["VersionId"])

    def written(self, count: int, **when: int) -> list[Record]:
        """An honest chain: committed, sealed, outbox empty."""
        chain = self.build(count, **when)
        self.commit(chain)
        self.seal(chain)
        return chain

    def extended(self, chain: list[Record], count: int) -> list[Record]:
        """An honest chain with more records at its end."""
        added = self.build(count, chain[-1].head)
        self.commit(added, chain[-1].head)
        self.seal(added)
        return [*chain, *added]


def rewritten(one: Record, old: bytes, new: bytes) -> Record:
    """The record with other bytes of the same shape."""
    assert old in one.data
    return record.read(one.data.replace(old, new))


def earlier(head: Head, by_ms: int) -> Head:
    """The same head with another time, so that what follows may run backwards."""
    return replace(head, timestamp_ms=head.timestamp_ms - by_ms)


def lock_of(one: Record, *, mode: str | None = None, shorter_ms: int = 0) -> dict[str, Any]:
    """The lock that the record promises, or a weaker one."""
    return {
        "ObjectLockMode": mode or one.lock_mode,
        "ObjectLockRetainUntilDate": instants.to_datetime(one.retain_until_ms - shorter_ms),
    }
