# SPDX-License-Identifier: Apache-2.0
"""The table as a rebuild mends it, over the fakes that the ledger itself works on.

Invariants that it asserts on whoever swaps: a head names a record that is stored and was read back, or waits in the
outbox, and never goes back behind one that is either or is signed for; the register names a checkpoint that is
published, with its root (G5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from indelible.domain import record as records
from indelible.domain.checkpoint import parse_checkpoint
from indelible.domain.organisation import OrgConfig
from indelible.domain.record import Head
from indelible.ports import EMPTY_LEDGER, Found, IndexEntry, LedgerState, LogState
from tests.fakes.bucket import Bucket
from tests.fakes.journal import FakeJournal
from tests.fakes.ledger import FakeLedgerRegister
from tests.fakes.log import FakeLogHead
from tests.fakes.table import FakeIndex, FakeOrganisations


@dataclass(slots=True)
class FakeRepair:
    """TableRepair."""

    bucket: Bucket
    journal: FakeJournal
    log_head: FakeLogHead
    hashes: FakeIndex
    organisations: FakeOrganisations
    ledger_register: FakeLedgerRegister
    names: set[str] = field(default_factory=set)
    unregistered: set[str] = field(default_factory=set)
    swaps: list[str] = field(default_factory=list)

    def head(self, org_id: str) -> Found[Head]:
        return _found(self.journal.heads.get(org_id))

    def log(self, org_id: str) -> Found[LogState]:
        if org_id in self.log_head.rootless:
            return Found(None, {"tree_size": 2})
        return _found(self.log_head.states.get(org_id))

    def ledger(self) -> Found[LedgerState]:
        return _found(None if self.ledger_register.state == EMPTY_LEDGER else self.ledger_register.state)

    def config(self, org_id: str) -> Found[OrgConfig]:
        return _found(self.organisations.configs.get(org_id))

    def registered(self) -> frozenset[str]:
        return frozenset(self.names | (set(self.organisations.configs) - self.unregistered))

    def days(self, org_id: str) -> Mapping[str, int]:
        return {day: first for (owner, day), first in self.journal.days.items() if owner == org_id}

    def unindexed(self, org_id: str, entries: Sequence[IndexEntry]) -> list[IndexEntry]:
        return [entry for entry in entries if self.hashes.find(org_id, entry.tx_hash.hex()) is None]

    def swap_head(self, org_id: str, found: Found[Head], new: Head) -> bool:
        known = self._known(org_id)
        assert new in known, "the head must name a record that is there and was read"
        last = max(head.sequence for head in known)
        assert new.sequence == last, "the head must not lie behind a record that is there"
        assert new.sequence >= max(self._published(org_id), default=0), "the head must not lie behind a signature"
        if self.head(org_id).seen != found.seen:
            return False
        self.swaps.append(f"head {org_id}")
        self.journal.heads[org_id] = new
        return True

    def swap_log(self, org_id: str, found: Found[LogState], new: LogState | None) -> bool:
        if new is not None:
            assert new.published == new.tail, "nothing is fixed that is not published"
            assert self._published(org_id).get(new.tree_size) == new.root, "no such root is published"
            assert new.published in self._known(org_id), "the register must name a record that was read"
            fixed = self.log_head.roots.setdefault((org_id, new.tree_size), new.root)
            assert fixed == new.root, "G5: a second root for this size"
        if self.log(org_id).seen != found.seen:
            return False
        self.swaps.append(f"log {org_id}")
        self.log_head.rootless.discard(org_id)
        if new is None:
            del self.log_head.states[org_id]
        else:
            self.log_head.states[org_id] = new
        return True

    def swap_ledger(self, found: Found[LedgerState], new: LedgerState | None) -> bool:
        state = new or EMPTY_LEDGER
        assert state.tree_size == state.published, "nothing is fixed that is not published"
        assert new is None or self._published("_ledger").get(new.published) == new.root, "no such root is published"
        if self.ledger().seen != found.seen:
            return False
        self.swaps.append("ledger log")
        del self.ledger_register.leaves[state.tree_size :]  # what was fixed and never published is taken anew
        self.ledger_register.state = state
        return True

    def swap_config(self, org_id: str, found: Found[OrgConfig], new: OrgConfig) -> bool:
        if self.config(org_id).seen != found.seen:
            return False
        if found.seen is None and org_id not in self.names:
            self.unregistered.add(org_id)
        self.swaps.append(f"config {org_id}")
        self.organisations.configs[org_id] = new
        return True

    def register(self, org_id: str, created_at: str) -> None:
        self.names.add(org_id)
        self.unregistered.discard(org_id)

    def add_days(self, org_id: str, days: Mapping[str, int]) -> None:
        for day, first in days.items():
            self.journal.days.setdefault((org_id, day), first)

    def index(self, org_id: str, entries: Sequence[IndexEntry]) -> None:
        for entry in entries:
            self.hashes.entries[org_id, entry.tx_hash.hex()] = entry.audit_id

    def _known(self, org_id: str) -> set[Head]:
        stored = {records.read(data).head for data in self.journal.waiting.get(org_id, {}).values()}
        for key in self.bucket.stacks:
            parsed = records.parse_key(key)
            if parsed is None or parsed.org_id != org_id:
                continue
            for version in self.bucket.versions(key)[:1]:
                if (key, version.version_id) in self.bucket.read_back:
                    stored.add(records.read(version.data).head)
        return stored

    def _published(self, org_id: str) -> dict[int, str]:
        prefix = f"{org_id}/_log/checkpoints/"
        notes = [self.bucket.versions(key)[0].data for key in self.bucket.stacks if key.startswith(prefix)]
        signed = [parse_checkpoint(note.decode().partition("\n\n")[0] + "\n") for note in notes if b"\n\n" in note]
        return {checkpoint.size: checkpoint.root.hex() for checkpoint in signed}


@dataclass(frozen=True, slots=True)
class FakeInventory:
    """Inventory."""

    bucket: Bucket

    def owners(self) -> list[str]:
        return sorted({key.partition("/")[0] for key in self.bucket.stacks} - {"_ledger"})

    def logged(self, org_id: str) -> frozenset[int]:
        prefix = f"{org_id}/_log/ledger/"
        return frozenset(int(key.removeprefix(prefix)[:12]) for key in self.bucket.stacks if key.startswith(prefix))


def _found(value: object) -> Found:
    return Found(value, None if value is None else {"value": value})
