# SPDX-License-Identifier: Apache-2.0
"""What must be true in every cell: the guarantees, told from the outside."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from indelible.domain import instants, merkle, tiles
from indelible.domain.receipt import Receipt
from indelible.errors import Contention, LedgerError, NotSealed, Unavailable
from indelible.ports import Workers
from indelible.services.append import Appender
from indelible.services.submission import Submission
from tests.fakes.chains import ORG
from tests.fakes.rfc6962 import root_of_leaves
from tests.fakes.world import World
from tests.faults.wire import Killed, Wire


@dataclass(slots=True)
class Client:
    """One caller with one request, who tries again as the documentation tells it to.

    With an idempotency key: the same request until there is a receipt. Without: never again once the ledger may have
    taken it, because a second try could then be a second record.
    """

    world: World
    submission: Submission
    answers: list[list[Receipt]] = field(default_factory=list)
    errors: list[LedgerError | Killed] = field(default_factory=list)

    @property
    def numbers(self) -> list[int]:
        """Which events it sent."""
        return [json.loads(event)["payload"]["number"] for event in self.submission.events]

    def ask(self, process: Appender) -> None:
        """Send the request once; look at the bucket the moment the answer is there (G1)."""
        try:
            receipts = process.append(self.submission)
        except (LedgerError, Killed) as error:
            self.errors.append(error)
            return
        assert_sealed(self.world, receipts)
        assert len(receipts) == len(self.submission.events)
        self.answers.append(receipts)

    def insist(self, wire: Wire, process: Appender, *, workers: Workers | None = None) -> None:
        """Ask until there is an answer, first with the fault, then without."""
        self.ask(process)
        if self.answers:
            return
        wire.cut()
        if isinstance(self.errors[-1], Killed):
            process = self.world.appender(workers=workers)  # it died: the next request meets a new environment
        if self.submission.idempotency_key is not None or isinstance(self.errors[-1], Contention):
            self.submission = self.world.submission(*self.numbers, key=self.submission.idempotency_key)
            self.ask(process)
            assert self.answers, f"no answer without any fault: {self.errors[-1]!r}"


def assert_sealed(world: World, receipts: Sequence[Receipt]) -> None:
    """G1: the bucket holds, locked and with the receipt's checksum, what the receipt says."""
    for receipt in receipts:
        stored = world.bucket.version(receipt.s3_key, receipt.s3_version_id)
        assert stored.sha256 == receipt.tx_hash, "G1: a receipt for other bytes than the bucket has"
        assert stored.lock is not None
        assert stored.lock.mode == receipt.s3_lock_mode, "G1: a receipt for a record that is not locked as it says"
        assert stored.lock.retain_until_ms >= instants.from_text(receipt.retention_until)
        assert world.bucket.versions(receipt.s3_key)[0] == stored, "G1: a receipt for a version laid over another"


def assert_guarantees(world: World, clients: Sequence[Client], *, before: Sequence[int] = ()) -> None:
    """Run the anchor and the verifier, and hold everything against G1, G2 and G3."""
    world.anchor().run(ORG, deadline_ms=world.clock.now + 60_000)

    verdict = world.verify()
    assert verdict.valid is True, f"G2: {verdict.failures}"
    assert verdict.pending == [], "G3: the anchor left something in the outbox"
    chain = world.sealed()
    assert [entry.sequence for entry in chain] == list(range(1, len(chain) + 1)), "G2: not contiguous"
    assert world.journal.head(ORG) == (chain[-1].head if chain else world.journal.head("nobody"))
    assert world.waiting() == [], "G3: the outbox is not empty"
    state = world.register.read(ORG)
    assert state.tail == state.published == world.journal.head(ORG)
    assert state.cleared == len(chain)
    assert_log(world)
    assert {world.index.find(ORG, entry.tx_hash) for entry in chain} == {entry.audit_id for entry in chain}

    by_id = {entry.audit_id: entry for entry in chain}
    times = Counter(json.loads(entry.data)["event"]["payload"]["number"] for entry in chain)
    expected = set(before)
    for client in clients:
        _assert_fair(client, by_id=set(by_id), times=times)
        expected |= set(client.numbers)
    assert set(times) <= expected, "G3: a record that nobody asked for"
    assert all(times[number] == 1 for number in before), "G3: an earlier record was lost or doubled"
    for receipt in (receipt for client in clients for answer in client.answers for receipt in answer):
        assert by_id[receipt.audit_id].tx_hash == receipt.tx_hash, "a receipt that is not of this chain"
        assert world.prover().prove(ORG, audit_id=receipt.audit_id).receipt == receipt
        assert world.prover().prove(ORG, tx_hash=receipt.tx_hash).receipt == receipt


def _assert_fair(client: Client, *, by_id: set[str], times: Counter[int]) -> None:
    keyed = client.submission.idempotency_key is not None
    assert client.answers or not keyed, "a client with a key gets its receipts in the end"
    for answer in client.answers:
        assert answer == client.answers[0], "G3: one key, two answers"
        assert len({receipt.audit_id for receipt in answer}) == len(answer)
    for number in client.numbers:
        if keyed or client.answers:
            assert times[number] == 1, f"G3: event {number} is in the chain {times[number]} times"
        else:
            assert times[number] <= 1, f"G3: event {number} was doubled by one request"
    for error in client.errors:
        if isinstance(error, NotSealed):
            assert error.audit_id in by_id, "G3: named as committed, and not in the chain"
        assert isinstance(error, (NotSealed, Unavailable, Contention, Killed)), f"G8: {error!r}"


def assert_log(world: World, org_id: str = ORG) -> None:
    """G5, from outside: every checkpoint and every tile is that of the records; each goes on from the one before."""
    leaves = [bytes.fromhex(entry.tx_hash) for entry in world.sealed(org_id)]
    log = world.log()
    sizes = list(log.sizes(org_id, at_least=1))
    assert sizes[-1:] == ([len(leaves)] if leaves else []), "what is recorded is under a checkpoint"
    latest = log.latest(org_id)
    assert (latest.size if latest else 0) == len(leaves)
    roots = {size: log.opened(org_id, size).checkpoint.root for size in sizes}
    for size, root in roots.items():
        assert root == root_of_leaves(leaves[:size]), f"G5: checkpoint {size} is not that of the records"
    for old, new in pairwise(sizes):
        merkle.verify_consistency(old, new, roots[old], roots[new], log.consistency(org_id, old, new))
    signed = {size: root for (origin, size), root in world.signer.roots.items() if origin == log.origin(org_id)}
    assert signed == roots, "what was signed is published"
    prefix = f"{org_id}/_log/"
    stored = {key.removeprefix(prefix): world.bucket.versions(key)[0].data for key in world.bucket.keys(prefix)}
    for size in sizes:
        built = {file.path: file.data for file in tiles.grow(tiles.EMPTY, leaves[:size])[1]}
        assert built.items() <= stored.items(), f"the files of size {size}"
