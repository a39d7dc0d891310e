# SPDX-License-Identifier: Apache-2.0
"""Honest chains, made with the code under test: for tests of what happens to them afterwards."""

from __future__ import annotations

from indelible.domain import audit_id, record
from indelible.domain.canonical import JsonObject, canonical_bytes
from indelible.domain.chain import ChainChecker
from indelible.domain.findings import ExpectedHash, StoredObject
from indelible.domain.record import EMPTY_CHAIN, GovernorKey, Head, Record, Retention
from indelible.ports import RecordStore
from indelible.services.stored_object import stored_object
from tests.fakes.machine import MIDNIGHT, SeededEntropy
from tests.fakes.records import FakeRecords

ORG = "acme-corp"
RETENTION = Retention(lock_mode="COMPLIANCE", days=2555)
GOVERNOR = GovernorKey(key_id="k1", secret=b"the governor's own secret of 32 b")


def event(number: int, **payload: object) -> bytes:
    """A canonical event, different for each number."""
    body: JsonObject = {"event_type": "AGENT_DECISION", "payload": {"number": number, **payload}}  # type: ignore[dict-item]
    return canonical_bytes(body)


def build_chain(
    count: int,
    *,
    org_id: str = ORG,
    start_ms: int = MIDNIGHT,
    step_ms: int = 1000,
    head: Head = EMPTY_CHAIN,
    seed: int = 0,
    retention: Retention = RETENTION,
) -> list[Record]:
    """Records that follow `head`, one every `step_ms`."""
    entropy = SeededEntropy(seed)
    chain: list[Record] = []
    for number in range(count):
        built = record.build(
            event(head.sequence + 1),
            org_id=org_id,
            head=head,
            now_ms=start_ms + number * step_ms,
            retention=retention,
            governor=GOVERNOR,
            random=entropy.bits(audit_id.RANDOM_BITS),
        )
        chain.append(built)
        head = built.head
    return chain


def stored(chain: list[Record]) -> FakeRecords:
    """A store that holds these records, sealed."""
    records = FakeRecords()
    for entry in chain:
        records.seal(entry)
    return records


def stored_objects(records: RecordStore, org_id: str = ORG) -> list[StoredObject]:
    """What a verifier gets to see, in its order."""
    found = records.read_all(records.versions(org_id, after=f"{org_id}/"))
    return [stored_object(keys, version) for keys, version in found]


def check(seen: list[StoredObject], *, head: Head | None = None, org_id: str = ORG, start: int = 1) -> ChainChecker:
    """Walk a whole chain, held against the head where there is one."""
    checker = ChainChecker(org_id, start=start)
    if head is not None:
        checker.expect(ExpectedHash(head.sequence, head.tx_hash, "the head"))
    for one in seen:
        checker.observe(one)
    checker.finish()
    return checker
