# SPDX-License-Identifier: Apache-2.0
"""Item by item: what the table says, what the evidence says, and the swap that repairs it.

Each function compares one item, and returns the change that it needs; None where it needs none.

Invariant: a change is made only against what was read before the evidence was; and no change leaves the head, or the
log's register, behind anything that is sealed, waiting in the outbox, or signed.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field

from indelible.domain.findings import Failure, FailureCode
from indelible.domain.organisation import OrgConfig
from indelible.domain.record import EMPTY_CHAIN, Head
from indelible.ports import Found, LedgerOutbox, LogState, TableRepair
from indelible.services.chain_replay import Replayed

INDEX_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """One item that differs: its text in the table (`found`) and from the bucket (`wanted`).

    `apply` writes; it returns False, and writes nothing, where the item has changed since it was read.
    """

    item: str
    found: str
    wanted: str
    apply: Callable[[], bool] = field(compare=False, repr=False)


def head(table: TableRepair, org_id: str, found: Found[Head], replayed: Replayed) -> Change | None:
    """The head names the last record, sealed or in the outbox.

    A head beyond that record is set back, unless a signature reaches further. (The chain is then TRUNCATED: nothing is
    applied until that is accepted.)
    """
    said, end = found.value, replayed.end
    if not replayed.ends or said in replayed.ends:
        return None
    if said is not None and said.sequence > end.sequence:
        if replayed.signed_size > end.sequence:
            return None
    else:
        now = table.head(org_id)
        if now.seen != found.seen and now.value and now.value.sequence >= end.sequence:
            return None  # the ledger has recorded meanwhile
    return Change("head", _head_text(said), _head_text(end), lambda: table.swap_head(org_id, found, end))


def log(table: TableRepair, org_id: str, found: Found[LogState], replayed: Replayed) -> Change | None:
    """The register of the organisation's log names the last published checkpoint.

    An item that cannot be read, say because an older version wrote it without a root, is replaced.
    """
    said, wanted = found.value, _wanted_log(replayed)
    agrees = (found.seen is None and wanted is None) if said is None else _agrees(said, wanted, replayed)
    if agrees:
        return None
    now = table.log(org_id)
    if wanted is not None and now.seen != found.seen and now.value and now.value.tree_size >= wanted.tree_size:
        return None  # the anchor has published meanwhile
    shown = _log_text(Found(wanted, None))
    return Change("log", _log_text(found), shown, lambda: table.swap_log(org_id, found, wanted))


def log_failure(found: Found[LogState], replayed: Replayed) -> Failure | None:
    """The failure of a register that promises more than the bucket holds."""
    return _log_ahead(found.value, replayed) if found.value is not None else None


def days(table: TableRepair, org_id: str, found: Mapping[str, int], replayed: Replayed) -> Change | None:
    """Every day has an item with its first sequence. Items that are there stay as they are."""
    missing = {day: first for day, first in replayed.days.items() if day not in found}
    if not missing:
        return None

    def add() -> bool:
        table.add_days(org_id, missing)
        return True

    return Change("days", f"{len(found):,}", f"{len(found) + len(missing):,}", add)


def index(table: TableRepair, org_id: str, replayed: Replayed) -> Change | None:
    """Every sealed record has an item for its hash."""
    missing = replayed.unindexed
    if not missing:
        return None

    def put() -> bool:
        for start in range(0, len(missing), INDEX_CHUNK):
            table.index(org_id, missing[start : start + INDEX_CHUNK])
        return True

    return Change("index", f"{replayed.sealed - len(missing):,} hashes", f"{replayed.sealed:,} hashes", put)


def ledger_outbox(outbox: LedgerOutbox, waiting: Container[tuple[str, int]], replayed: Replayed) -> Change | None:
    """Every published checkpoint is in the ledger's own log, or waits for it.

    `waiting` are the organisations and sizes that wait.
    """
    missing = [leaf for leaf in replayed.unlogged if (leaf.org_id, leaf.size) not in waiting]
    if not missing:
        return None

    def put() -> bool:
        for leaf in missing:
            outbox.put(leaf)
        return True

    said = f"{len(replayed.unlogged) - len(missing):,} checkpoints wait"
    return Change("ledger outbox", said, f"{len(replayed.unlogged):,} checkpoints wait", put)


def config(table: TableRepair, found: Found[OrgConfig], wanted: OrgConfig) -> Change | None:
    """The configuration is the one that the administrative acts in `_admin` led to."""
    if found.value == wanted:
        return None
    said = "nothing" if found.seen is None else _config_text(found.value) if found.value else "unreadable"
    return Change("config", said, _config_text(wanted), lambda: table.swap_config(wanted.org_id, found, wanted))


def registry(table: TableRepair, org_id: str, created_at: str) -> Change:
    """The organisation is registered, so that the hourly sweep of the anchor finds it."""

    def register() -> bool:
        table.register(org_id, created_at)
        return True

    return Change("registry", "nothing", org_id, register)


def _wanted_log(replayed: Replayed) -> LogState | None:
    if replayed.checkpoint is None:
        return None
    covered = replayed.covered
    cleared = covered.sequence if replayed.uncleared is None else min(covered.sequence, replayed.uncleared - 1)
    return LogState(tail=covered, root=replayed.checkpoint.root.hex(), published=covered, cleared=cleared)


def _agrees(said: LogState, wanted: LogState | None, replayed: Replayed) -> bool:
    if _log_ahead(said, replayed) is not None:
        return False
    if wanted is not None and said.tail == wanted.tail:
        # The anchor fixed this root, and may be about to say that it is published.
        return said.root == wanted.root and said.published in {EMPTY_CHAIN, *replayed.ever_covered}
    # A root beyond the last checkpoint is for the next run of the anchor to confirm.
    return said.published == replayed.covered and (wanted is None or said.tail != said.published)


def _log_ahead(said: LogState, replayed: Replayed) -> Failure | None:
    if said.published.sequence > replayed.covered.sequence:
        detail = "the table says that a checkpoint of this size is published; the bucket has none that holds"
        return Failure(FailureCode.CHECKPOINT_MISMATCH, said.published.sequence, detail)
    if said.tail.sequence > replayed.end.sequence:
        detail = f"the chain ends at {replayed.end.sequence}, but the log's register goes on to {said.tail.sequence}"
        return Failure(FailureCode.TRUNCATED, replayed.end.sequence + 1, detail, through=said.tail.sequence)
    return None


def _head_text(said: Head | None) -> str:
    return "nothing" if said is None else f"record {said.sequence:,} ({said.tx_hash[:12]}…)"


def _log_text(found: Found[LogState]) -> str:
    said = found.value
    if said is None:
        return "nothing" if found.seen is None else "no root"
    fixed = f", {said.tail.sequence:,} fixed" if said.tail != said.published else ""
    return f"{said.tree_size:,} published{fixed}, outbox empty to {said.cleared:,}"


def _config_text(said: OrgConfig) -> str:
    keys = ", ".join(key.key_id for key in said.active_keys()) or "no active key"
    kept = f", kept {said.retention_days:,} days" if said.retention_days else ""
    allowed = f", {len(said.principals)} principals" if said.principals else ""
    return f"{keys}{kept}{allowed}{', disabled' if said.disabled_at else ''}"
